using System.Diagnostics;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary>What only a process can show: signals, pipes, descriptors.</summary>
public sealed class CommandsPublishedTests
{
    private static readonly byte[] Content = Bytes.Random(3_000_000);

    [Test]
    public async Task Lines_of_successive_processes_follow_one_another_in_a_file()
    {
        using TestShell shell = new();
        PublishedExecutable executable = PublishedExecutable.Find();

        await PublishedExecutable.RunAsync("sh", ["-c", $"for i in 1 2 3; do '{executable.Path}' --version; done > '{shell.File("out")}'"]);

        await Assert.That((await File.ReadAllLinesAsync(shell.File("out"))).Length).IsEqualTo(3);
    }

    [Test]
    public async Task A_reader_that_has_seen_enough_ends_a_command_without_a_word()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Content);

        ProgramRun run = await PublishedExecutable.RunAsync("bash",
            ["-c", $"'{executable.Path}' object get {federation.UrlOf("/public/a")} - | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"], Environment(federation));

        await Assert.That(run).IsEqualTo(new ProgramRun(0, "10\n141\n", ""));
    }

    [Test]
    public async Task A_full_disk_behind_standard_output_is_an_error()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Content);

        ProgramRun run = await PublishedExecutable.RunAsync("sh",
            ["-c", $"'{executable.Path}' object ls {federation.UrlOf("/public")} > /dev/full"], Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).StartsWith("Error: cannot write 'standard output': no space");
    }

    [Test]
    public async Task The_version_behind_a_full_disk_is_an_error_too()
    {
        PublishedExecutable executable = PublishedExecutable.Find();

        ProgramRun run = await PublishedExecutable.RunAsync("sh", ["-c", $"'{executable.Path}' --version > /dev/full"]);

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).StartsWith("Error: cannot write 'standard output': no space");
    }

    [Test]
    public async Task A_limit_on_the_size_of_files_is_an_error_and_not_the_end()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new();
        federation.Origin.Store("/public/a", Content);

        ProgramRun run = await PublishedExecutable.RunAsync("bash",
            ["-c", $"ulimit -f 100; '{executable.Path}' object get {federation.UrlOf("/public/a")} '{shell.File("a")}'"], Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).StartsWith($"Error: cannot write '{shell.File("a")}': it would be larger than a file may be here\n'ulimit -f'");
    }

    [Test]
    public async Task Authorities_in_a_file_that_is_not_there_are_missed_by_name()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();

        ProgramRun run = await executable.RunAsync(
            ["object", "stat", federation.UrlOf("/public/a")], new Dictionary<string, string> { ["SSL_CERT_FILE"] = "/none.pem" });

        await Assert.That(run.ExitStatus).IsEqualTo(6);
        await Assert.That(run.Error).EndsWith("SSL_CERT_FILE names '/none.pem', and there is no such file.\n");
    }

    [Test]
    public async Task Standard_output_by_its_path_goes_on_where_the_file_ends()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new();
        federation.Origin.Store("/public/a", [.. "middle\n"u8]);

        await PublishedExecutable.RunAsync("bash",
            ["-c", $"{{ echo first; '{executable.Path}' object get {federation.UrlOf("/public/a")} /dev/stdout; echo last; }} > '{shell.File("out")}'"],
            Environment(federation));

        await Assert.That(await File.ReadAllTextAsync(shell.File("out"))).IsEqualTo("first\nmiddle\nlast\n");
    }

    [Test]
    public async Task Debug_tells_each_request_without_secrets()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new();
        federation.Origin.Store("/protected/a", Content);
        string token = federation.Issuer.CreateToken("storage.read:/");
        shell.Write("t", token);

        ProgramRun run = await PublishedExecutable.Find().RunAsync(
            ["-d", "object", "get", "-t", shell.File("t"), federation.UrlOf("/protected/a"), shell.File("a")], Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(0);
        await Assert.That(run.Error).Matches(@"debug HttpStack: GET https://[^ ]+/\.well-known/[^ ]+: status 200 after [0-9.]+ ms, \d+ bytes announced");
        await Assert.That(run.Error).Matches(@"debug HttpStack: GET https://[^ ]+/protected/a[^ ]*: status 200 after [0-9.]+ ms");
        await Assert.That(run.Error).DoesNotContain(token.Split('.')[1]);
    }

    [Test]
    [Arguments(15, 143)]
    [Arguments(2, 130)]
    [Arguments(1, 129)]
    public async Task A_signal_stops_a_download_that_then_goes_on(int signal, int status)
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new();
        federation.Origin.Store("/public/a", Content);
        Gate gate = new(2_000_000);
        federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        string[] arguments = ["object", "get", federation.UrlOf("/public/a"), shell.File("a")];

        using Process process = Start(executable.Path, arguments, federation);
        await gate.Blocked;
        _ = Posix.Kill(process.Id, signal);
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        bool named = File.Exists(shell.File("a"));
        gate.Open();
        ProgramRun again = await executable.RunAsync(arguments, Environment(federation));

        await Assert.That(process.ExitCode).IsEqualTo(status);
        await Assert.That(error).EndsWith("Interrupted.\n");
        await Assert.That(named).IsFalse();
        await Assert.That(again.ExitStatus).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(shell.File("a"), Content)).IsTrue();
    }

    [Test]
    public async Task Under_nohup_the_end_of_the_session_is_ignored()
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new();
        federation.Origin.Store("/public/a", Content);
        Gate gate = new(2_000_000);
        federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));

        using Process process = Start("nohup", [executable.Path, "object", "get", federation.UrlOf("/public/a"), shell.File("a")], federation);
        await gate.Blocked;
        _ = Posix.Kill(process.Id, 1);
        gate.Open();
        await process.WaitForExitAsync();

        await Assert.That(process.ExitCode).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(shell.File("a"), Content)).IsTrue();
    }

    private static Dictionary<string, string> Environment(TestFederation federation) =>
        new() { ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile, ["HOME"] = federation.Root };

    private static Process Start(string program, string[] arguments, TestFederation federation)
    {
        ProcessStartInfo start = PublishedExecutable.StartInfo(program, arguments);
        foreach ((string name, string value) in Environment(federation))
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
