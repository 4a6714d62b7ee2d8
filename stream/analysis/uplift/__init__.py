"""Does it help to act on alerts? The held-out arm of an experiment compared with the treated one."""
