using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Pelican.Commands;
using Pelican.Tests.Support;
using Pelican.Tests.Transfer;

namespace Pelican.Tests.Commands;

/// <summary><c>--async</c>: what is sent to the daemon, and what is said of it. The network must not be touched.</summary>
public sealed class AsyncTests
{
    private const string Id = "550e8400-e29b-41d4-a716-446655440000";

    private static readonly ApiAnswer Created = new(201,
        $$"""{"job_id": "{{Id}}", "status": "pending", "created_at": "2025-01-15T10:30:00Z", "transfers": []}""");

    [Test]
    public async Task A_job_is_made_by_one_request_and_its_id_is_told()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult result = await shell.RunAsync("object", "get", "--async", "osdf:///path/to/file", "local/file");

        await Assert.That(result).IsEqualTo(new ShellResult(0, $"Job created: {Id}\nCheck status with: pelican job status {Id}\n", ""));
        await Assert.That(api.Requests.Single().Body).IsEqualTo(
            $$"""{"transfers":[{"operation":"get","source":"osdf:///path/to/file","destination":"{{shell.Folder}}/local/file","recursive":false}],"options":"""
            + """{"direct":false,"overwrite":false,"require_checksum":false,"umask":"077"}}""");
    }

    [Test]
    public async Task The_id_alone_is_told_quietly_and_the_answer_as_JSON()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult quiet = await shell.RunAsync("-q", "object", "get", "--async", "osdf:///a/b", "b");
        ShellResult json = await shell.RunAsync("--json", "object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That(quiet).IsEqualTo(new ShellResult(0, Id + "\n", ""));
        await Assert.That(json.Output).IsEqualTo(
            $$"""{"job_id":"{{Id}}","status":"pending","created_at":"2025-01-15T10:30:00Z","transfers":[]}""" + "\n");
    }

    [Test]
    public async Task A_label_goes_along()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("object", "get", "--async", "--label", "night run", "osdf:///a/b", "b");
        ShellResult stray = await shell.RunAsync("object", "get", "--label", "x", "osdf:///a/b", "b");

        await Assert.That(api.Requests.Single().Body).Contains("\"label\":\"night run\"");
        await Assert.That((stray.Status, stray.Error.Split('\n')[0])).IsEqualTo((4, "Error: --label goes with --async"));
    }

    [Test]
    public async Task An_id_that_cannot_be_written_is_told_where_it_can_be()
    {
        using TestShell shell = Shell();
        using FileStream full = new("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        shell.With = world => world with { Output = full };
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult result = await shell.RunAsync("-q", "object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That(result.Status).IsEqualTo(10);
        await Assert.That(result.Error).StartsWith($"Job created: {Id}\nError: cannot write 'standard output'");
    }

    [Test]
    public async Task The_end_is_waited_for()
    {
        using TestShell shell = Shell();
        int asked = 0;
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => request.Line.StartsWith("POST", StringComparison.Ordinal)
            ? Created
            : new ApiAnswer(200, ScriptedApi.Job(++asked == 1 ? "running" : "completed", asked)));

        ShellResult result = await shell.RunAsync("object", "get", "--async", "--wait", "osdf:///a/b", "b");

        await Assert.That(result).IsEqualTo(new ShellResult(
            0, $"Job created: {Id}\nWaiting for job to complete...\nJob completed successfully\nTransferred: 4700000 bytes\n", ""));
    }

    [Test]
    public async Task Waiting_can_have_a_limit_after_which_the_job_goes_on()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => request.Line.StartsWith("POST", StringComparison.Ordinal)
            ? Created
            : new ApiAnswer(200, ScriptedApi.Job("running")));

        ShellResult result = await shell.RunAsync("object", "get", "--async", "--wait", "--timeout", "0", "osdf:///a/b", "b");

        await Assert.That((result.Status, result.Error)).IsEqualTo((JobEnd.GoingOn, $"Error: job {Id} is still running; it goes on\n"));
    }

    [Test]
    public async Task A_job_that_fails_fails_the_command_that_waits_for_it()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => request.Line.StartsWith("POST", StringComparison.Ordinal)
            ? Created
            : new ApiAnswer(200, ScriptedApi.Job("failed", 1, """, "error": "1 of 1 transfers failed: no such object" """)));

        ShellResult text = await shell.RunAsync("object", "get", "--async", "--wait", "osdf:///a/b", "b");
        ShellResult json = await shell.RunAsync("--json", "object", "get", "--async", "--wait", "osdf:///a/b", "b");

        await Assert.That(text.Status).IsEqualTo(JobEnd.Failed);
        await Assert.That(text.Error).IsEqualTo($"Error: job {Id} failed: 1 of 1 transfers failed: no such object\n");
        await Assert.That(json.Status).IsEqualTo(JobEnd.Failed);
        await Assert.That(json.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("status").GetString()!))
            .IsEquivalentTo(["pending", "failed"]);
    }

    [Test]
    public async Task Several_sources_are_one_job_and_stay_under_their_own_names()
    {
        using TestShell shell = Shell();
        shell.Write("x", "");
        shell.Write("y", "");
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "osdf:///a/c", ".");
        await shell.RunAsync("object", "put", "--async", "x", "y", "osdf:///a/c?directread");

        JsonElement[][] jobs = [.. api.Requests.Select(request => Transfers(request.Body))];
        await Assert.That(jobs[0].Select(transfer => transfer.GetProperty("source").GetString()!)).IsEquivalentTo(["osdf:///a/b", "osdf:///a/c"]);
        await Assert.That(jobs[0].Select(transfer => transfer.GetProperty("destination").GetString()!).Distinct()).IsEquivalentTo([shell.Folder + "/./"]);
        await Assert.That(jobs[1].Select(transfer => transfer.GetProperty("source").GetString()!)).IsEquivalentTo([shell.File("x"), shell.File("y")]);
        await Assert.That(jobs[1].Select(transfer => transfer.GetProperty("destination").GetString()!).Distinct()).IsEquivalentTo(["osdf:///a/c/?directread"]);
    }

    [Test]
    public async Task What_was_asked_for_goes_along()
    {
        using TestShell shell = Shell();
        shell.Write("t", "token");
        shell.Write("x", "");
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("-f", "fed.example.org", "object", "get", "--async", "-t", "t", "-c", "cache:8443,+", "--require-checksum", "/a/b", "b");
        await shell.RunAsync("object", "copy", "--async", "--direct", "osdf:///a/b", "b");
        await shell.RunAsync("object", "put", "--async", "--overwrite", "--checksum-algorithm", "md5", "x", "osdf:///a/x");

        string[] options = [.. api.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("options").GetRawText())];
        await Assert.That(options).IsEquivalentTo(
        [
            $$"""{"token":"{{shell.File("t")}}","caches":["cache:8443","\u002B"],"direct":false,"overwrite":false,"require_checksum":true,"federation":"https://fed.example.org","umask":"077"}""",
            """{"direct":true,"overwrite":false,"require_checksum":false,"umask":"077"}""",
            """{"direct":false,"overwrite":true,"require_checksum":true,"checksum_algorithm":"md5","umask":"077"}""",
        ]);
    }

    [Test]
    public async Task Settings_of_the_caller_count_as_for_a_transfer_that_is_not_a_job()
    {
        using TestShell shell = Shell();
        shell.Write("x", "");
        shell.Variables["NEAREST_CACHE"] = "near:8443";
        shell.Variables["PELICAN_CLIENT_ENABLEOVERWRITES"] = "true";
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");
        await shell.RunAsync("object", "put", "--async", "x", "osdf:///a/x");

        await Assert.That(api.Requests.First().Body).Contains("\"caches\":[\"near:8443\"]");
        await Assert.That(api.Requests.Last().Body).Contains("\"overwrite\":true");
    }

    [Test]
    [Arguments("--dry-run")]
    [Arguments("--transfer-stats=f")]
    [Arguments("--checksums=md5:f")]
    public async Task An_option_that_a_job_cannot_honour_is_refused(string option)
    {
        using TestShell shell = Shell();
        shell.Write("x", "");

        ShellResult result = await shell.RunAsync("object", "put", "--async", option, "x", "osdf:///a/x");

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith($"Error: {option.Split('=')[0]} does not go with --async: ");
    }

    [Test]
    [Arguments("-")]
    [Arguments("/dev/stdout")]
    [Arguments("/proc/self/fd/1")]
    public async Task What_is_another_thing_for_the_daemon_is_refused(string destination)
    {
        using TestShell shell = Shell();

        ShellResult result = await shell.RunAsync("object", "get", "--async", "osdf:///a/x", destination);

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith($"Error: '{destination}' does not go with --async: ");
    }

    [Test]
    public async Task A_token_in_a_variable_becomes_a_file_for_the_caller_alone()
    {
        using TestShell shell = Shell();
        shell.Variables["HOME"] = shell.Folder;
        shell.Variables["BEARER_TOKEN"] = "secret-of-the-caller";
        shell.Write("other", "other-token");
        shell.Variables["BEARER_TOKEN_FILE"] = "other";
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult first = await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");
        ShellResult second = await shell.RunAsync("object", "get", "--async", "osdf:///a/c", "c");
        shell.Variables.Remove("BEARER_TOKEN");
        await shell.RunAsync("object", "get", "--async", "osdf:///a/c", "c");

        JsonElement[] options = [.. api.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("options"))];
        string[] tokens = [.. options.Select(option => option.GetProperty("token").GetString()!)];
        await Assert.That((first.Status, second.Status)).IsEqualTo((0, 0));
        await Assert.That(options.Select(option => option.TryGetProperty("forget_token", out _))).IsEquivalentTo([true, true, false]);
        await Assert.That(tokens[2]).IsEqualTo(shell.File("other"));
        await Assert.That(Directory.GetFiles(shell.File(".pelican/tokens")).Order()).IsEquivalentTo(tokens[..2].Order());
        await Assert.That(await File.ReadAllTextAsync(tokens[0])).IsEqualTo("secret-of-the-caller");
        await Assert.That(File.GetUnixFileMode(tokens[0])).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Assert.That(File.GetUnixFileMode(shell.File(".pelican/tokens")))
            .IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Assert.That(string.Concat(api.Requests) + first + second).DoesNotContain("secret-of-the-caller");
    }

    [Test]
    public async Task The_file_of_a_token_goes_when_there_is_no_job()
    {
        using TestShell shell = Shell();
        shell.Variables["HOME"] = shell.Folder;
        shell.Variables["BEARER_TOKEN"] = "secret-of-the-caller";
        ShellResult absent = await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(400, """{"error": "no", "code": "INVALID_REQUEST"}"""));

        ShellResult refused = await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That((absent.Status, refused.Status)).IsEqualTo((12, 4));
        await Assert.That(Directory.GetFiles(shell.File(".pelican/tokens"))).IsEmpty();
    }

    [Test]
    public async Task A_token_whose_time_is_over_stands_back()
    {
        using TestShell shell = Shell();
        shell.Variables["HOME"] = shell.Folder;
        shell.With = world => world with { Clock = new FakeTimeProvider(TestToken.Now) };
        shell.Variables["BEARER_TOKEN"] = TestToken.Wlcg(expiresIn: -60);
        shell.Variables["BEARER_TOKEN_FILE"] = shell.Write("t", TestToken.Wlcg());
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That(api.Requests.Single().Body).Contains($"\"token\":\"{shell.File("t")}\"");
    }

    [Test]
    public async Task Tokens_are_looked_for_where_a_transfer_would_look()
    {
        using TestShell shell = Shell();
        shell.Variables["BEARER_TOKEN_FILE"] = "missing";
        shell.Variables["_CONDOR_CREDS"] = "creds";
        shell.Write("creds/a.use", "token");
        shell.Write("creds/scitokens.use", "token");
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");
        await shell.RunAsync("object", "get", "--async", "a+osdf:///a/b", "b");

        string[] tokens = [.. api.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("options").GetProperty("token").GetString()!)];
        await Assert.That(tokens).IsEquivalentTo([shell.File("creds/scitokens.use"), shell.File("creds/a.use")]);
    }

    private static JsonElement[] Transfers(string body) => [.. JsonDocument.Parse(body).RootElement.GetProperty("transfers").EnumerateArray()];

    private static TestShell Shell()
    {
        TestShell shell = new();
        shell.Variables["PELICAN_CLIENT_API_SOCKET"] = "s";
        return shell;
    }
}
