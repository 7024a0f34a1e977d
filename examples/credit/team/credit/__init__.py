"""The credit team's model: may this mortgage application be approved?"""
