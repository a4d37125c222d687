"""What a framework does where nothing is said: asked, inferred from its output, recorded."""
