"""The classes that a line network tells apart, and how far apart its steps are."""

WALL = "|"  # a straight side of a comb, a box or a frame, or a rule beside the digits
OTHER = "?"  # a letter, a digit crossed out, a sign that is none of the alphabet's
UNSAID = WALL + OTHER  # classes that a network learns and no text holds
_FIRST = "0123456789.,-=$€£"
ALPHABET = _FIRST + "/:" + UNSAID  # the classes, in order; one more, the last, is the blank
ALPHABETS = (_FIRST, _FIRST + "/", ALPHABET)  # of the networks that are read
DIGITS = ALPHABET[:10]
BLANK = len(ALPHABET)
STRIDE = 2  # columns of the picture from one step to the next
