"""The ways to reach people, and the rendering of what is said to them."""
