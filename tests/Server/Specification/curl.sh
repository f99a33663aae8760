# Create a job with multiple transfers
curl -X POST \
  --unix-socket ~/.pelican/client-api.sock \
  http://localhost/api/v1/xfer/jobs \
  -H "Content-Type: application/json" \
  -d '{
    "transfers": [
      {
        "operation": "get",
        "source": "osdf:///osgconnect/public/example.txt",
        "destination": "/tmp/example.txt"
      }
    ]
  }'

# Get job status
curl --unix-socket ~/.pelican/client-api.sock \
  http://localhost/api/v1/xfer/jobs/550e8400-e29b-41d4-a716-446655440000

# List all running jobs
curl --unix-socket ~/.pelican/client-api.sock \
  "http://localhost/api/v1/xfer/jobs?status=running"

# Cancel a job
curl -X DELETE \
  --unix-socket ~/.pelican/client-api.sock \
  http://localhost/api/v1/xfer/jobs/550e8400-e29b-41d4-a716-446655440000

# Stat a file
curl -X POST \
  --unix-socket ~/.pelican/client-api.sock \
  http://localhost/api/v1/xfer/stat \
  -H "Content-Type: application/json" \
  -d '{"url": "osdf:///osgconnect/public/example.txt"}'

# Health check
curl --unix-socket ~/.pelican/client-api.sock \
  http://localhost/health

# Shutdown the server
curl -X POST \
  --unix-socket ~/.pelican/client-api.sock \
  http://localhost/shutdown
