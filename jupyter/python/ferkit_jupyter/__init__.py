"""What other notebook tools need to know of ferkit's kernel. Set-up makes it visible to the Python in .venv."""
