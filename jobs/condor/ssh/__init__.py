"""The way to a pool by SSH: HTCondor's own commands, given on the machine of the schedd."""
