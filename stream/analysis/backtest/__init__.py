"""Would the alerts of a policy have been right? Learn up to a day, let the policy run on, compare
with what customers did.
"""
