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
    private readonly Lock _lock = new();
    private SafeFileHandle _file;

    /// <summary>Opens it.</summary>
    /// <param name="path">Absolute; created if it is not there, in a directory that is.</param>
    /// <param name="line">Makes a line of level, category, message and exception.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Local"/>.</exception>
    public LogFile(string path, Func<LogLevel, string, string, Exception?, string> line)
    {
        (_path, _line) = (path, line);
        _file = Open();
    }

    /// <summary>Bytes after which the file is put aside as <c>….1</c>, over the one before; null for never.</summary>
    public long? MostBytes { get; init; }

    /// <summary>Whether standard output and error lead to the file too, and follow it.</summary>
    public bool HasStandardStreams { get; init; }

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

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    // Another process may have put it aside already: then only our descriptor is old.
    private void PutAside()
    {
        SafeFileHandle old = _file;
        if (new FileInfo(_path) is { Exists: true } file && file.Length >= MostBytes)
        {
            File.Move(_path, _path + ".1", overwrite: true);
        }

        _file = Open();
        old.Dispose();
        if (HasStandardStreams)
        {
            _ = Posix.Duplicate((int)_file.DangerousGetHandle(), 1);
            _ = Posix.Duplicate((int)_file.DangerousGetHandle(), 2);
        }
    }

    private void Write(string text)
    {
        lock (_lock)
        {
            try
            {
                if (RandomAccess.GetLength(_file) >= MostBytes)
                {
                    PutAside();
                }

                new ConsoleStream((int)_file.DangerousGetHandle()).Write(Encoding.UTF8.GetBytes(text));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PelicanException)
            {
                // A full disk must not stop the transfer that the log only tells about.
            }
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
