"""Pure mathematics over samples: floats in, small frozen results out."""
