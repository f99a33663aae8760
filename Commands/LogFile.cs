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

    private readonly Func<LogLevel, string, string, Exception?, string> _line;
    private readonly SafeFileHandle _file;
    private readonly ConsoleStream _stream;
    private readonly Lock _lock = new();

    /// <summary>Opens it.</summary>
    /// <param name="path">Absolute; created if it is not there, in a directory that is.</param>
    /// <param name="line">Makes a line of level, category, message and exception.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Local"/>.</exception>
    public LogFile(string path, Func<LogLevel, string, string, Exception?, string> line)
    {
        _line = line;
        int descriptor = Posix.Open(path, Posix.OpenWriteOnly | Posix.OpenCreate | Posix.OpenAppend | Posix.OpenCloseOnExec, OwnerOnly);
        if (descriptor < 0)
        {
            throw new PelicanException(Errors.Local, $"cannot open the log file '{path}': {Marshal.GetLastPInvokeErrorMessage()}",
                "Name another file with --log or Logging.LogLocation.");
        }

        _file = new SafeFileHandle(descriptor, ownsHandle: true);
        _stream = new ConsoleStream(descriptor);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Write(string text)
    {
        lock (_lock)
        {
            try
            {
                _stream.Write(Encoding.UTF8.GetBytes(text));
            }
            catch (IOException)
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
