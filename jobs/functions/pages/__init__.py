"""The pages of functions: their cards, their forms, their results, and the workers that run them."""
