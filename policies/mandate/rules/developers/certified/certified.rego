# METADATA
# title: Every author is certified
# description: |
#   Each author of the model (the run's user, the authors of the training code) holds valid certificates from accredited
#   issuers that cover every topic of `developers.required_topics`. A certificate is valid from `issued` until before
#   `expires`. An author whom the directory does not know has none. A model without a known author has no verdict.
# custom:
#   failure_msg: An author of the model is not certified
#   solution: >-
#     Have the author take the course and add the certificate to the directory, or add the author's identity to it.
#   severity: high
#   collections: [people]
#   controls:
#     - EU AI Act 4
#     - EU AI Act 26(2)
#     - NIST AI RMF GOVERN 2.2
#     - ISO/IEC 42001 A.4.6
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [developers]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     developers.required_topics: {type: array, tightens: up, minItems: 1, items: {type: string, minLength: 1}}
package mandate.rules.developers.certified

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.instants
import data.mandate.lib.thresholds
import data.mandate.thresholds.developers as settings

terms contains developer.name if some developer in input.developers

must contains check.includes(developer.name, facts.derived("developers", _topics(developer)), bound) if {
	bound := thresholds.of(settings.required_topics)
	some developer in input.developers
}

must contains check.equals(developer.name, facts.derived("developers", "unknown to the directory"), _known) if {
	some developer in input.developers
	not developer.known == true
}

_known := thresholds.fixed("known to the directory")

_topics(developer) := {topic |
	some certificate in developer.certificates
	certificate.accredited == true
	instants.has_come(certificate.issued)
	instants.is_to_come(certificate.expires)
	some topic in certificate.topics
}
