# METADATA
# title: The model card says what it must
# description: |
#   Every section that `documentation.required_sections` names is in the model card, with at least so many words below
#   its heading. Headings are compared without case and surrounding space.
# custom:
#   failure_msg: The model card lacks a section
#   solution: Write the section, and log the card with the model's run.
#   severity: medium
#   collections: [documentation, essential]
#   controls:
#     - EU AI Act 11(1) with Annex IV
#     - NIST AI RMF MAP 1.1
#     - ISO/IEC 42001 A.6.2.7
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [documentation]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     documentation.required_sections: {type: array, tightens: up, minItems: 1, items: {type: string, minLength: 1}}
#     documentation.minimum_words: {type: integer, tightens: up, minimum: 1, unit: words}
package mandate.rules.documentation.model_card

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.documentation as settings

terms contains name if some name in thresholds.of(settings.required_sections).value

must contains check.at_least(name, facts.quantity("documentation", words, "words"), bound) if {
	is_array(input.documentation.sections)
	bound := thresholds.of(settings.minimum_words)
	some name in thresholds.of(settings.required_sections).value
	some words in _words(name)
}

# Words of every section of that name. A section that is not there has none.
_words(name) := object.get(_sections, _folded(name), {0})

_sections[_folded(section.name)] contains section.words if some section in input.documentation.sections

_folded(name) := lower(trim_space(name))
