using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What the commands of one process share, and how their actions are run.</summary>
/// <param name="world">Surroundings of the process.</param>
/// <param name="globals">Options that every command has.</param>
/// <param name="messages">Standard error.</param>
/// <param name="redactor">Takes secrets out of a text.</param>
/// <param name="interruption">Signals of the process.</param>
internal sealed class CommandHost(
    Surroundings world, GlobalOptions globals, ConsoleMessages messages, Redactor redactor, Interruption interruption)
{
    /// <summary>What is outside.</summary>
    public Surroundings World => world;

    /// <summary>Makes the action of a command.</summary>
    /// <param name="read">Turns what was parsed into the options of the command; it may refuse them.</param>
    /// <param name="run">Does it, and returns the exit status.</param>
    /// <param name="files">Local files that it reads, or transfers to, as they were written; null for none.</param>
    public Func<ParseResult, CancellationToken, Task<int>> Action<TOptions>(
        Func<ParseResult, TOptions> read, Func<TOptions, Session, CancellationToken, Task<int>> run, Func<TOptions, IEnumerable<string?>>? files = null) =>
        async (parse, cancellationToken) =>
        {
            TOptions options = read(parse);
            Configuration configuration = SettingsReader.Read(globals.Settings(parse), world);
            OutputFiles.Refuse("the log file", configuration.LogFile, (files?.Invoke(options) ?? []).OfType<string>().Select(world.Absolute));
            LogSink sink = new(messages, redactor, world.Clock, cancellationToken);
            using Session session = new(world, messages, configuration, redactor, sink.Open(configuration.LogLevel, configuration.LogFile))
            {
                Sink = sink,
                Json = globals.Json(parse),
                Quiet = globals.Quiet(parse),
            };
            interruption.HasBegun = true;
            try
            {
                int status = await run(options, session, cancellationToken);
                session.Output.Flush();
                return status;
            }
            catch (Exception e) when (session.Record(e)) // which is never: the log file is still open here, and Cli deals with it
            {
                throw;
            }
        };
}
