"""From a script and its voices to a timeline in whole frames: layout, captions, cards. Pure where it can be."""
