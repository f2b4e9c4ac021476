"""From a picture of paper to the digits that somebody wrote there."""
