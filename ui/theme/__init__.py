"""How the screens look: colour tokens, sizes in millimetres, fonts and icons. No widget lives here."""
