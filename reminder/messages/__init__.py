"""What is said to people: payloads, their wording, and the registry that renders them."""
