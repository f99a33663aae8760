using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// A log file of the owner's only. It is opened for appending by the kernel: what .NET calls appending writes at
/// an offset of its own, over the lines of other processes with the same file.
/// </summary>
internal sealed class LogFile : ILoggerProvider
{
    private const uint OwnerOnly = 0b110_000_000;

    private readonly string _path;
    private readonly Func<LogLevel, string, string, Exception?, string> _line;
    private readonly CancellationToken _stop;
    private readonly Lock _lock = new();
    private readonly bool _hasStandardStreams;
    private SafeFileHandle _file;
    private bool _lacksLines;

    /// <summary>Opens it.</summary>
    /// <param name="path">Absolute; created if it is not there, in a directory that is.</param>
    /// <param name="line">Makes a line of level, category, message and exception.</param>
    /// <param name="stop">Ends a wait for its reader, should it be a pipe.</param>
    /// <param name="hasStandardStreams">Whether standard output and error lead to the file too, and follow it.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Local"/>.</exception>
    public LogFile(string path, Func<LogLevel, string, string, Exception?, string> line, CancellationToken stop, bool hasStandardStreams = false)
    {
        (_path, _line, _stop, _hasStandardStreams) = (path, line, stop, hasStandardStreams);
        _file = Open();
    }

    /// <summary>Bytes after which the file is put aside as <c>….1</c>, over the one before; null for never.</summary>
    public long? MostBytes { get; init; }

    /// <summary>Told when lines could not be written, once until some can.</summary>
    public Action<string> Loses { get; init; } = _ => { };

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private SafeFileHandle Open()
    {
        int descriptor = Posix.Open(_path, Posix.OpenWriteOnly | Posix.OpenCreate | Posix.OpenAppend | Posix.OpenCloseOnExec, OwnerOnly);
        if (descriptor < 0)
        {
            throw new PelicanException(Errors.Local, $"cannot open the log file '{_path}': {Marshal.GetLastPInvokeErrorMessage()}",
                "Name another file with --log or Logging.LogLocation.");
        }

        if (_hasStandardStreams)
        {
            _ = Posix.Duplicate(descriptor, 1);
            _ = Posix.Duplicate(descriptor, 2);
        }

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    // The name may lead to a short file, or nowhere: another process has put it aside, or somebody has removed it.
    private void Follow()
    {
        FileInfo file = new(_path);
        if (file.Exists && file.Length >= MostBytes)
        {
            File.Move(_path, _path + ".1", overwrite: true);
        }
        else if (file.Exists && RandomAccess.GetLength(_file) < MostBytes)
        {
            return;
        }

        SafeFileHandle old = _file;
        _file = Open();
        old.Dispose();
    }

    private void Write(string text)
    {
        string? lost = null;
        lock (_lock)
        {
            if (_file.IsClosed)
            {
                return;
            }

            try
            {
                if (MostBytes is not null)
                {
                    Follow();
                }

                string all = _lacksLines ? _line(LogLevel.Warning, nameof(LogFile), "Lines are missing here: they could not be written.", null) + text : text;
                new ConsoleStream((int)_file.DangerousGetHandle(), _stop).Write(Encoding.UTF8.GetBytes(all));
                _lacksLines = false;
            }
            catch (OperationCanceledException)
            {
                // Whoever was to read it does not.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PelicanException)
            {
                // A full disk must not stop the transfer that the log only tells about.
                lost = _lacksLines || _hasStandardStreams ? null : e.Message;
                _lacksLines = true;
            }
        }

        if (lost is not null)
        {
            Loses($"The log file '{_path}' lacks lines: {lost}");
        }
    }

    private sealed class Logger(LogFile file, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            file.Write(file._line(logLevel, category, formatter(state, exception), exception));
    }
}
