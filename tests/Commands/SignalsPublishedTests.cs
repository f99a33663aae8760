using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary>One signal ends a command, wherever it waits; and what cannot be written is an error.</summary>
public sealed class SignalsPublishedTests : IDisposable
{
    private const int Terminate = 15;

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-signals-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    [Arguments("object", "ls", "osdf:///a", "--config", "{fifo}")]
    [Arguments("object", "ls", "osdf:///a", "-L", "{fifo}")]
    [Arguments("object", "put", "--checksums", "md5:{fifo}", "{file}", "osdf:///a")]
    public async Task A_FIFO_that_nobody_opens_does_not_keep_a_command_from_ending(params string[] arguments)
    {
        string fifo = Path.Combine(_folder, "fifo"), file = Path.Combine(_folder, "file");
        await PublishedExecutable.RunAsync("mkfifo", [fifo]);
        await File.WriteAllTextAsync(file, "x");
        string words = string.Join(' ', arguments.Select(word => $"'{word.Replace("{fifo}", fifo, StringComparison.Ordinal).Replace("{file}", file, StringComparison.Ordinal)}'"));

        // The open of the FIFO is seen in /proc: the process sleeps in it.
        ProgramRun run = await ShellAsync($"\"$P\" {words} & pid=$!; until grep -qE 'fifo|wait_for_partner' /proc/$pid/task/*/wchan || [ $((n += 1)) -gt 100 ]; do sleep 0.02; done; kill -TERM $pid; wait $pid");

        await Assert.That(run.ExitStatus).IsEqualTo(128 + Terminate);
    }

    [Test]
    [Arguments("--help")]
    [Arguments("client-api openapi")]
    public async Task Nor_does_a_pipe_that_is_full_and_that_nobody_reads(string words)
    {
        ProgramRun run = await ShellAsync(
            "mkfifo pipe; exec 3<>pipe; dd if=/dev/zero of=pipe bs=4096 oflag=nonblock 2>/dev/null; "
            + $"\"$P\" {words} >&3 & pid=$!; until grep -q pipe /proc/$pid/task/*/wchan || [ $((n += 1)) -gt 500 ]; do sleep 0.02; done; kill -TERM $pid; wait $pid");

        await Assert.That(run.ExitStatus).IsEqualTo(128 + Terminate);
    }

    [Test]
    public async Task An_error_that_cannot_be_written_as_JSON_keeps_its_status()
    {
        ProgramRun run = await ShellAsync("\"$P\" object get --json --none osdf:///a b >/dev/full");

        await Assert.That(run.ExitStatus).IsEqualTo(4);
        await Assert.That(run.Error).Contains("--none").And.Contains("standard output").And.DoesNotContain("   at ");
    }

    [Test]
    public async Task A_proxy_that_fails_is_named()
    {
        Dictionary<string, string> environment = new() { ["https_proxy"] = "http://127.0.0.1:1", ["HOME"] = _folder };

        ProgramRun run = await PublishedExecutable.Find().RunAsync(["object", "ls", "pelican://site.invalid/ns"], environment);

        await Assert.That(run.ExitStatus).IsEqualTo(11);
        await Assert.That(run.Error).Contains("(by the proxy 127.0.0.1:1) refused the connection; without the proxy: ");
    }

    [Test]
    [Arguments("--version")]
    [Arguments("--help")]
    [Arguments("client-api openapi")]
    public async Task What_goes_to_a_closed_output_is_an_error(string words)
    {
        ProgramRun closed = await ShellAsync($"\"$P\" {words} >&-");
        ProgramRun full = await ShellAsync($"\"$P\" {words} >/dev/full");

        await Assert.That((closed.ExitStatus, full.ExitStatus)).IsEqualTo((10, 10));
        await Assert.That(closed.Error).StartsWith("Error: cannot write 'standard output'");
    }

    [Test]
    [Arguments("/dev/null")]
    [Arguments("{file}")]
    public async Task A_home_that_is_no_directory_is_said_to_be_none(string home)
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "x");
        Dictionary<string, string> environment = new() { ["HOME"] = home.Replace("{file}", file, StringComparison.Ordinal) };

        foreach (string[] words in new string[][] { ["client-api", "status"], ["client-api", "stop"], ["client-api", "serve"], ["job", "list"] })
        {
            ProgramRun run = await PublishedExecutable.Find().RunAsync(words, environment);

            await Assert.That(run.Error + run.Output).DoesNotContain("Unknown").And.DoesNotContain("kill -9");
            await Assert.That(run.ExitStatus).IsNotEqualTo(1);
        }
    }

    private Task<ProgramRun> ShellAsync(string script) => PublishedExecutable.RunAsync(
        "sh", ["-c", $"cd '{_folder}'; {script}"], new Dictionary<string, string> { ["P"] = PublishedExecutable.Find().Path, ["HOME"] = _folder });
}
