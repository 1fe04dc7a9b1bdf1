"""What is systematically wrong of filaments and membranes: where, step and twist."""
