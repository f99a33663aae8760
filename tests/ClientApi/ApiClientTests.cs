using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Pelican.ClientApi;
using Pelican.Commands;
using Pelican.Tests.Support;

namespace Pelican.Tests.ClientApi;

/// <summary>The client end of the Client API, against answers from a script.</summary>
public sealed class ApiClientTests : IDisposable
{
    private const string Id = "550e8400-e29b-41d4-a716-446655440000";

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-api-").FullName;

    private string Socket => Path.Combine(_folder, "s");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_job_is_created_by_one_request(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, _ => new ApiAnswer(201, Created));
        using ApiClient client = Client();

        JobCreated created = await client.CreateJobAsync(
            [new TransferRequest("get", "osdf:///a", "/tmp/a")], new JobOptions { Direct = true }, cancellationToken);

        await Assert.That(created.JobId).IsEqualTo(Id);
        SeenRequest request = api.Requests.Single();
        await Assert.That(request.Line).IsEqualTo("POST /api/v1/xfer/jobs");
        await Assert.That(request.Body).Contains("\"operation\":\"get\",\"source\":\"osdf:///a\",\"destination\":\"/tmp/a\"").And.Contains("\"direct\":true");
    }

    [Test]
    public async Task A_job_whose_answer_is_lost_is_sent_again_under_the_same_key(CancellationToken cancellationToken)
    {
        int count = 0;
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            Socket, _ => Interlocked.Increment(ref count) < 3 ? ApiAnswer.Broken : new ApiAnswer(201, Created));
        using ApiClient client = Client();

        JobCreated created = await client.CreateJobAsync(Transfers, null, cancellationToken);

        await Assert.That(created.JobId).IsEqualTo(Id);
        await Assert.That(api.Requests.Count).IsEqualTo(3);
        await Assert.That(api.Requests.Distinct().Count()).IsEqualTo(1);
        await Assert.That(api.Requests.First().Key).IsNotEqualTo("");
    }

    [Test]
    public async Task A_daemon_that_always_breaks_the_connection_is_given_up(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, _ => ApiAnswer.Broken);
        using ApiClient client = Client();

        ApiException error = await FailureAsync(client.CreateJobAsync(Transfers, null, cancellationToken));

        await Assert.That(error.Fault).IsEqualTo(ApiFault.Broken);
        await Assert.That(error.Retryable).IsTrue();
    }

    [Test]
    public async Task Where_nobody_listens_no_server_is_running(CancellationToken cancellationToken)
    {
        using ApiClient absent = Client();
        bool running = await absent.IsServerRunningAsync(cancellationToken);
        ApiException nothing = await FailureAsync(absent.CreateJobAsync(Transfers, null, cancellationToken));
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Socket));
        }

        ApiException stale = await FailureAsync(absent.ListJobsAsync(cancellationToken: cancellationToken));

        await Assert.That(running).IsFalse();
        await Assert.That(nothing.Fault).IsEqualTo(ApiFault.NotRunning);
        await Assert.That((stale.Message, stale.Detail)).IsEqualTo(("Client API server is not running", "Start it with 'pelican client-api serve'"));
    }

    [Test]
    public async Task A_host_has_a_socket_of_its_own_before_the_common_one(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(_folder, ".pelican"));
        using ApiClient client = new(new ApiClientOptions { Socket = ApiSocket.Below(_folder, "node7") });
        await using ScriptedApi common = await ScriptedApi.StartAsync(Path.Combine(_folder, ".pelican/client-api.sock"), _ => new ApiAnswer(200, Job("running")));

        await client.GetJobStatusAsync(Id, cancellationToken);
        await using ScriptedApi own = await ScriptedApi.StartAsync(Path.Combine(_folder, ".pelican/client-api.node7.sock"), _ => new ApiAnswer(200, Job("failed")));
        using ApiClient later = new(new ApiClientOptions { Socket = ApiSocket.Below(_folder, "node7") });
        JobStatus job = await later.GetJobStatusAsync(Id, cancellationToken);

        await Assert.That(common.Requests.Count).IsEqualTo(1);
        await Assert.That(job.Status).IsEqualTo("failed");
    }

    [Test]
    public async Task A_path_that_no_socket_can_have_is_refused()
    {
        ApiException? error = null;
        try
        {
            _ = ApiSocket.At("/" + new string('x', 107));
        }
        catch (ApiException e)
        {
            error = e;
        }

        await Assert.That(error!.Message).Contains("at most 107 bytes").And.Contains("has 108");
        await Assert.That(ApiSocket.At("/" + new string('x', 106)).Paths.Count).IsEqualTo(1);
    }

    [Test]
    [Arguments(400, "INVALID_REQUEST", false, 4)]
    [Arguments(404, "NOT_FOUND", false, 8)]
    [Arguments(401, "UNAUTHORIZED", false, 7)]
    [Arguments(409, "CONFLICT", false, 8)]
    [Arguments(409, "CANCELLED", false, 8)]
    [Arguments(500, "TRANSFER_FAILED", false, 9)]
    [Arguments(500, "INTERNAL_ERROR", false, 1)]
    [Arguments(504, "TIMEOUT", true, 11)]
    [Arguments(429, "TOO_MANY_JOBS", true, 11)]
    public async Task A_refusal_becomes_an_error_of_the_table(int status, string code, bool retryable, int exitStatus, CancellationToken cancellationToken)
    {
        string body = $$"""{"error": "no such thing", "code": "{{code}}", "retryable": {{(retryable ? "true" : "false")}}, "detail": "Look elsewhere."}""";
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, _ => new ApiAnswer(status, body));
        using ApiClient client = Client();

        ApiException error = await FailureAsync(client.GetJobStatusAsync("a/b?c", cancellationToken));

        await Assert.That(ApiFaults.Of(error).ExitStatus).IsEqualTo(exitStatus);
        await Assert.That((error.Message, error.Detail)).IsEqualTo(("job a/b?c: no such thing", "Look elsewhere."));
        await Assert.That(api.Requests.Single().Line).IsEqualTo("GET /api/v1/xfer/jobs/a%2Fb%3Fc");
    }

    [Test]
    [Arguments(200, "<html>")]
    [Arguments(200, "null")]
    [Arguments(200, "{}")]
    [Arguments(404, "404 page not found")]
    [Arguments(502, "")]
    public async Task Who_does_not_speak_the_API_is_no_server_of_ours(int status, string body, CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, _ => new ApiAnswer(status, body));
        using ApiClient client = Client();

        ApiException error = await FailureAsync(client.GetJobStatusAsync(Id, cancellationToken));

        await Assert.That(error.Message).Contains("is not a Client API server that this program understands");
        await Assert.That(error.Retryable).IsFalse();
    }

    [Test]
    [Arguments("")]
    [Arguments(".")]
    [Arguments("..")]
    public async Task What_would_be_another_path_is_no_id(string id, CancellationToken cancellationToken)
    {
        using ApiClient client = Client();

        ApiException? error = null;
        try
        {
            await client.CancelJobAsync(id, cancellationToken);
        }
        catch (ApiException e)
        {
            error = e;
        }

        await Assert.That(error!.Code).IsEqualTo("INVALID_REQUEST");
    }

    [Test]
    public async Task Waiting_is_told_of_each_change_and_ends_with_the_job(CancellationToken cancellationToken)
    {
        int count = 0;
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            Socket, _ => new ApiAnswer(200, ++count < 3 ? Job("running", count) : Job("completed", count)));
        using ApiClient client = Client();
        List<string> seen = [];

        JobStatus job = await client.WaitForJobAsync(Id, new JobWait { Seen = state => seen.Add(state.Status) }, cancellationToken);

        await Assert.That(job.Status).IsEqualTo("completed");
        await Assert.That(seen).IsEquivalentTo(["running", "running", "completed"]);
        await Assert.That(api.Requests.Select(request => request.Line)).IsEquivalentTo(
        [
            $"GET /api/v1/xfer/jobs/{Id}",
            $"GET /api/v1/xfer/jobs/{Id}?wait=30s&since=1",
            $"GET /api/v1/xfer/jobs/{Id}?wait=30s&since=2",
        ]);
    }

    [Test]
    public async Task Waiting_outlasts_the_daemon(CancellationToken cancellationToken)
    {
        using ApiClient client = Client();
        TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        ScriptedApi first = await ScriptedApi.StartAsync(
            Socket, _ => Interlocked.Increment(ref asked) == 1 ? new ApiAnswer(200, Job("running")) : ApiAnswer.Broken);

        Task<JobStatus> waiting = client.WaitForJobAsync(Id, new JobWait { Lost = () => lost.TrySetResult() }, cancellationToken);
        await lost.Task;
        await first.DisposeAsync();
        await using ScriptedApi second = await ScriptedApi.StartAsync(Socket, _ => new ApiAnswer(200, Job("completed", 2)));

        await Assert.That((await waiting).Status).IsEqualTo("completed");
    }

    [Test]
    public async Task Who_asks_for_a_job_first_must_find_the_daemon(CancellationToken cancellationToken)
    {
        using ApiClient client = Client();

        ApiException error = await FailureAsync(client.WaitForJobAsync(Id, new JobWait(), cancellationToken));

        await Assert.That(error.Fault).IsEqualTo(ApiFault.NotRunning);
    }

    [Test]
    public async Task Waiting_ends_with_its_time(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, _ => new ApiAnswer(200, Job("running")));
        using ApiClient client = Client();

        JobStatus job = await client.WaitForJobAsync(Id, TimeSpan.Zero, cancellationToken);

        await Assert.That(job.Status).IsEqualTo("running");
        await Assert.That(api.Requests.Count).IsEqualTo(1);
    }

    [Test]
    public async Task A_job_that_is_gone_is_not_waited_for(CancellationToken cancellationToken)
    {
        int count = 0;
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            Socket, _ => ++count == 1 ? new ApiAnswer(200, Job("running")) : new ApiAnswer(404, """{"error": "Job not found", "code": "NOT_FOUND"}"""));
        using ApiClient client = Client();

        ApiException error = await FailureAsync(client.WaitForJobAsync(Id, new JobWait { Known = true }, cancellationToken));

        await Assert.That(error.Code).IsEqualTo("NOT_FOUND");
    }

    [Test]
    public async Task A_daemon_that_says_nothing_is_not_waited_for_without_end(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, async (_, aborted) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, aborted);
            return ApiAnswer.Broken;
        });
        using ApiClient client = new(new ApiClientOptions { Socket = ApiSocket.At(Socket), Clock = clock });

        Task<JobStatus> status = client.GetJobStatusAsync(Id, cancellationToken);
        await asked.Task;
        clock.Advance(TimeSpan.FromSeconds(61));
        ApiException error = await FailureAsync(status);

        await Assert.That(error.Fault).IsEqualTo(ApiFault.TimedOut);
        await Assert.That(error.Message).Contains("has not answered within 60 s");
    }

    [Test]
    public async Task Answers_may_have_less_than_ours_and_more(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            Socket, _ => new ApiAnswer(200, $$"""{"job_id": "{{Id}}", "of_tomorrow": {"a": [1]}, "transfers_cancelled": 1, "transfers_completed": 1}"""));
        using ApiClient client = Client();

        JobCancelled cancelled = await client.CancelJobAsync(Id, cancellationToken);

        await Assert.That(cancelled).IsEqualTo(new JobCancelled(Id, "cancelled", "", 1, 1));
    }

    [Test]
    [Arguments("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ApiFault.Foreign)]
    [Arguments("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", ApiFault.Broken)]
    [Arguments("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=y\r\n{\r\n", ApiFault.Broken)]
    [Arguments("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n", ApiFault.Foreign)]
    [Arguments("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", ApiFault.Foreign)]
    [Arguments("SSH-2.0-OpenSSH_9.2\r\n", ApiFault.Foreign)]
    [Arguments("", ApiFault.Broken)]
    public async Task What_is_no_complete_answer_is_not_taken_for_one(string sent, ApiFault fault, CancellationToken cancellationToken)
    {
        using ApiClient client = Client();

        ApiException error = await FailureAsync(AskAsync(client, sent, cancellationToken));

        await Assert.That(error.Fault).IsEqualTo(fault);
    }

    [Test]
    [Arguments("HTTP/1.1 200 OK\r\nContent-Length: {0}\r\n\r\n{1}")]
    [Arguments("HTTP/1.1 200 OK\r\n\r\n{1}")]
    [Arguments("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\ncontent-length: {0}\r\n\r\n{1}")]
    [Arguments("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{0:x}\r\n{1}\r\n0\r\nTrailer: x\r\n\r\n")]
    public async Task Every_way_to_frame_an_answer_is_understood(string format, CancellationToken cancellationToken)
    {
        string job = Job("running");
        using ApiClient client = Client();

        JobStatus status = await AskAsync(
            client, string.Format(CultureInfo.InvariantCulture, format, job.Length, job), cancellationToken);

        await Assert.That(status.Status).IsEqualTo("running");
    }

    [Test]
    public async Task Files_are_asked_about_by_the_daemon(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, request => new ApiAnswer(200, request.Line.Split('/')[^1] switch
        {
            "stat" => """{"name": "a", "size": 1024, "is_collection": false, "mod_time": "2025-01-15T10:00:00Z", "checksums": {"md5": "09"}}""",
            "list" => """{"items": [{"name": "a", "size": 1, "is_collection": true, "mod_time": null}]}""",
            _ => """{"message": "Object deleted successfully", "url": "osdf:///n/a"}""",
        }));
        using ApiClient client = Client();

        StatAnswer stat = await client.StatAsync("osdf:///n/a", new JobOptions { Token = "/t" }, cancellationToken);
        ListAnswer list = await client.ListAsync("osdf:///n/", null, cancellationToken);
        DeleteAnswer deleted = await client.DeleteAsync("osdf:///n/a", true, null, cancellationToken);

        await Assert.That(stat.Size).IsEqualTo(1024);
        await Assert.That(stat.Checksums!["md5"]).IsEqualTo("09");
        await Assert.That(list.Items.Single().IsCollection).IsTrue();
        await Assert.That(deleted.Url).IsEqualTo("osdf:///n/a");
        await Assert.That(api.Requests.Select(request => request.Line)).IsEquivalentTo(
            ["POST /api/v1/xfer/stat", "POST /api/v1/xfer/list", "POST /api/v1/xfer/delete"]);
        await Assert.That(api.Requests.First().Body).Contains("\"token\":\"/t\"");
        await Assert.That(api.Requests.Last().Body).Contains("\"recursive\":true");
    }

    // A server of one answer, which it sends once it has read something, and closes.
    private async Task<JobStatus> AskAsync(ApiClient client, string sent, CancellationToken cancellationToken)
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Socket));
        listener.Listen();
        Task<JobStatus> asked = client.GetJobStatusAsync(Id, cancellationToken);
        using (Socket server = await listener.AcceptAsync(cancellationToken))
        {
            await server.ReceiveAsync(new byte[4096], cancellationToken);
            await server.SendAsync(Encoding.UTF8.GetBytes(sent), cancellationToken);
        }

        return await asked;
    }

    private static async Task<ApiException> FailureAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (ApiException e)
        {
            return e;
        }

        throw new InvalidOperationException("It succeeded.");
    }

    private static string Created => $$"""
        {"job_id": "{{Id}}", "status": "pending", "created_at": "2025-01-15T10:30:00Z", "transfers": [{"transfer_id": "1", "operation": "get",
        "source": "osdf:///a", "destination": "/tmp/a", "status": "pending"}]}
        """;

    private static TransferRequest[] Transfers => [new("get", "osdf:///a", "/tmp/a")];

    private static string Job(string status, long sequence = 1) => ScriptedApi.Job(status, sequence);

    private ApiClient Client() => new(Socket);
}
