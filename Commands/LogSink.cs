using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// Where log messages go: warnings to standard error as lines for people; with <c>--debug</c> everything to standard
/// error, with <c>--log</c> to a file. Each line passes through the one redaction on its way.
/// </summary>
/// <param name="messages">Standard error.</param>
/// <param name="redactor">Takes secrets out of a text.</param>
/// <param name="clock">Time for the lines.</param>
/// <param name="stop">Ends a wait for whoever reads a log that is a pipe.</param>
internal sealed class LogSink(ConsoleMessages messages, Redactor redactor, TimeProvider clock, CancellationToken stop)
{
    private const long MostBytes = 10_000_000;

    private static readonly string[] LevelNames = ["trace", "debug", "info", "warning", "error", "critical"];

    /// <summary>Opens what the configuration asks for.</summary>
    public ILoggerFactory Open(LogLevel level, string? file)
    {
        if (file is not null)
        {
            LogLevel least = level < LogLevel.Information ? level : LogLevel.Information;
            return new LoggerFactory([new LogFile(file, Line, stop) { Loses = text => new Warnings(messages, level).Tell(text) }, new Warnings(messages, level)], new LoggerFilterOptions { MinLevel = least });
        }

        return level < LogLevel.Warning
            ? new LoggerFactory([Console()], new LoggerFilterOptions { MinLevel = level })
            : new LoggerFactory([new Warnings(messages, level)], new LoggerFilterOptions { MinLevel = level });
    }

    /// <summary>Opens the log of a process that stays: a file that cannot grow without end, else standard error.</summary>
    /// <param name="level">What is told; at least what a server does.</param>
    /// <param name="file">Absolute; null for standard error.</param>
    /// <param name="detached">Whether standard output and error have no other place to go than the file.</param>
    public ILoggerFactory OpenForServer(LogLevel level, string? file, bool detached)
    {
        LoggerFilterOptions filter = new() { MinLevel = level < LogLevel.Information ? level : LogLevel.Information };
        // What Kestrel does all day interests nobody.
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", LogLevel.Warning, null));
        ILoggerProvider provider = file is null ? Console() : new LogFile(file, Line, stop, detached) { MostBytes = MostBytes, Loses = messages.Warning };
        return new LoggerFactory([provider], filter);
    }

    // Built by hand: neither container nor binding of configuration, which would need reflection.
    private ConsoleLoggerProvider Console() =>
        new(new FixedOptions(new ConsoleLoggerOptions
        {
            FormatterName = nameof(Formatter),
            LogToStandardErrorThreshold = LogLevel.Trace,
        }), [new Formatter(Line)]);

    private string Line(LogLevel level, string category, string message, Exception? exception)
    {
        string time = clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        string text = exception is null ? message : message + "\n" + exception;
        StringBuilder line = new($"{time} {LevelNames[(int)level]} {category[(category.LastIndexOf('.') + 1)..]}: ");
        return line.AppendJoin("\n    ", redactor.Redact(text).Split('\n').Select(ConsoleText.Visible)).Append('\n').ToString();
    }

    /// <summary>Warnings, for people. Errors are told by whoever catches them.</summary>
    private sealed class Warnings(ConsoleMessages messages, LogLevel level) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Warning && logLevel >= level;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                messages.Warning(formatter(state, exception));
            }
        }

        public void Tell(string text)
        {
            if (IsEnabled(LogLevel.Warning))
            {
                messages.Warning(text);
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Formatter(Func<LogLevel, string, string, Exception?, string> line) : ConsoleFormatter(nameof(Formatter))
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
            textWriter.Write(line(logEntry.LogLevel, logEntry.Category,
                logEntry.Formatter(logEntry.State, logEntry.Exception), logEntry.Exception));
    }

    private sealed class FixedOptions(ConsoleLoggerOptions options) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => options;

        public ConsoleLoggerOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
