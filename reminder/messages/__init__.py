"""What people read: the wording of each payload, and the registry that renders them."""
