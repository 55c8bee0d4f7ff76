"""What the reading knows of English, Chinese and Spanish: forms of words, how a line is cut into words, and who does
what to whom in it.

    text --tokens--> Token --lexicon--> Unit --grammar--> Sentence (acts and mentions)
"""
