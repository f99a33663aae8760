using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class LogSinkTests
{
    private const string Secret = "a-secret-that-was-learned";

    [Test]
    public async Task Warnings_reach_people_without_any_flag()
    {
        string said = Log(LogLevel.Warning, null);

        await Assert.That(said).IsEqualTo("Warning: beware of [redacted]\n");
    }

    [Test]
    public async Task The_level_can_silence_warnings()
    {
        await Assert.That(Log(LogLevel.Error, null)).IsEqualTo("");
    }

    [Test]
    public async Task A_log_file_is_the_owners_is_appended_to_and_has_no_secrets()
    {
        using TestShell shell = new();

        string said = Log(LogLevel.Debug, shell.File("log"));
        Log(LogLevel.Warning, shell.File("log"));

        await Assert.That(said).IsEqualTo("Warning: beware of [redacted]\n");
        await Assert.That(File.GetUnixFileMode(shell.File("log"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Assert.That(await File.ReadAllTextAsync(shell.File("log"))).IsEqualTo(
            "2026-09-01T08:00:00.250Z debug Director: two\n    lines\\x1b\n"
            + "2026-09-01T08:00:00.250Z warning Director: beware of [redacted]\n"
            + "2026-09-01T08:00:00.250Z warning Director: beware of [redacted]\n");
    }

    [Test]
    public async Task A_log_file_that_cannot_be_opened_is_an_error()
    {
        PelicanException error = Assert.Throws<PelicanException>(() => Log(LogLevel.Debug, "/no/such/directory/log"));

        await Assert.That(error.Message).IsEqualTo("cannot open the log file '/no/such/directory/log': No such file or directory");
    }

    [Test]
    public async Task Lines_that_the_log_file_does_not_take_are_told_once()
    {
        await Assert.That(Log(LogLevel.Debug, "/dev/full")).IsEqualTo(
            "Warning: The log file '/dev/full' lacks lines: No space left on device\nWarning: beware of [redacted]\n");
    }

    private static string Log(LogLevel level, string? file)
    {
        using MemoryStream screen = new();
        Redactor redactor = new();
        redactor.Learn(Secret);
        FakeTimeProvider clock = new(new DateTimeOffset(2026, 9, 1, 8, 0, 0, 250, TimeSpan.Zero));
        using (ILoggerFactory logs = new LogSink(new ConsoleMessages(screen, redactor), redactor, clock, CancellationToken.None).Open(level, file))
        {
            ILogger log = logs.CreateLogger("Pelican.Transfer.Director");
            log.LogDebug("two\nlines\e");
            log.LogWarning("beware of {Secret}", Secret);
        }

        return Encoding.UTF8.GetString(screen.ToArray());
    }
}
