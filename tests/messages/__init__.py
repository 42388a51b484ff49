"""Tests of the transports and of the rendering."""
