"""Would the alerts of a policy have been right? Learn up to a day, run the policy on, compare with the
outcomes."""
