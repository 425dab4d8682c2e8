"""What gunicorn serves: `gunicorn wsgi:app`."""
from cvd import create_app

app = create_app()
