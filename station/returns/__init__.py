"""What was promised to whom: merchants, articles, authorisations, policies and whether a return is eligible."""
