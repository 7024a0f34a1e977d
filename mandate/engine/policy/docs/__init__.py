"""Policies as pages for people: Markdown that a Git forge shows, and a static site made of it.

library.py      what the pages say, from what the sources compile to
pages.py        every page as Markdown: rule_page.py and overviews.py write them
site.py         the same pages as HTML, by Sphinx with MyST and Furo
folder.py       writes files into a folder, and removes only what was written there before
links.py        where the page of a rule is, for the reports that name rules
"""
