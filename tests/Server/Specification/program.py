import requests
import requests_unixsocket
import json

# Create session with Unix socket support
session = requests_unixsocket.Session()

# Base URL for Unix socket
socket_path = "/Users/username/.pelican/client-api.sock"
base_url = f"http+unix://{socket_path.replace('/', '%2F')}/api/v1/xfer"

# Create a job
job_request = {
    "transfers": [
        {
            "operation": "get",
            "source": "osdf:///osgconnect/public/example.txt",
            "destination": "/tmp/example.txt",
            "recursive": False
        }
    ]
}

response = session.post(f"{base_url}/jobs", json=job_request)
job = response.json()
job_id = job["job_id"]

print(f"Created job: {job_id}")

# Poll for status
import time

while True:
    response = session.get(f"{base_url}/jobs/{job_id}")
    status = response.json()

    print(f"Status: {status['status']}")
    print(f"Progress: {status['progress']['percentage']:.1f}%")

    if status["status"] in ["completed", "failed", "cancelled"]:
        break

    time.sleep(1)

print("Job finished!")
