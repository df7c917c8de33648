"""What one would write by hand in place of Jobdeck: a view that inserts a row and calls `delay()`, a task that updates it."""

import json

from celery import shared_task
from django.db import connection
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

QUEUE = "handwritten"
TABLE = "CREATE TABLE handwritten (id bigserial PRIMARY KEY, x int, y int, status text, result text)"


@shared_task(name="handwritten.add", ignore_result=True)
def add(key: int, x: int, y: int) -> None:
    with connection.cursor() as cursor:
        result = json.dumps(x + y)
        cursor.execute("UPDATE handwritten SET status = 'done', result = %s WHERE id = %s", [result, key])


@csrf_exempt
def create(request):
    body = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO handwritten (x, y, status) VALUES (%s, %s, 'new') RETURNING id", [body["x"], body["y"]]
        )
        [key] = cursor.fetchone()
    add.apply_async([key, body["x"], body["y"]], queue=QUEUE)
    return JsonResponse({"id": key}, status=201)
