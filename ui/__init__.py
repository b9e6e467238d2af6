"""What people touch: the only place with Qt, and the command line. Objects are built here and handed down."""
