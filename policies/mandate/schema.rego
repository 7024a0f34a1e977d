# METADATA
# title: Mandate
# description: |
#   Every package below reads the input by its schema: a mistyped `input.performance.metrcs` fails `opa check`.
# scope: subpackages
# schemas:
#   - input: schema.input
package mandate
