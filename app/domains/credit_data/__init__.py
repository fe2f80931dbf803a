"""What is known of a customer from outside: statements, reports, references, events, covers, answers."""
