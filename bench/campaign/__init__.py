"""The campaign: kills, damaged files, requests, overload and random chains, from one command."""
