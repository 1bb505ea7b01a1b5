"""What pages share: the only code besides the pages that imports streamlit."""
