# METADATA
# description: |
#   The decisions on many inputs, in their order, for whoever judges thousands of them. An input on which there is no
#   decision is left out: an answer with fewer decisions than inputs says nothing about any of them.
package batch

import data.mandate.main

decisions := [decision |
	some one in input.batch
	decision := main.decision with input as one
]
