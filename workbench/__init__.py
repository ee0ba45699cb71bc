"""The workbench: the Streamlit app over pipelines. Thin views that query, draw and bind."""
