"""What an operator looks at: health, logs."""
