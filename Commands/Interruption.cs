using System.Runtime.InteropServices;

namespace Pelican.Commands;

/// <summary>
/// Signals that end a command: the first one asks it to stop where it can go on later, the second one ends the process
/// at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Terminate = 15;

    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _signal;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Number of the first signal; 0 when none came.</summary>
    public int Signal => Volatile.Read(ref _signal);

    /// <summary>
    /// Set when the command itself begins. Before that nothing has been done that would have to be ended in order, and the first
    /// signal ends the process, though it may be waiting where no token is heard: for the writer of a FIFO that is its configuration.
    /// </summary>
    public bool HasBegun { get; set; }

    /// <summary>Exit status by the shell's convention.</summary>
    public int ExitStatus => 128 + Signal;

    /// <summary>Begins to listen. A signal that the caller made us ignore, as nohup and a shell's background do, stays ignored.</summary>
    public void Listen()
    {
        ProcessStatus status = ProcessStatus.Read();
        foreach ((PosixSignal signal, int number) in
            ((PosixSignal, int)[])[(PosixSignal.SIGHUP, Hangup), (PosixSignal.SIGINT, Interrupt), (PosixSignal.SIGTERM, Terminate)])
        {
            if (!status.Ignores(number))
            {
                _registrations.Add(PosixSignalRegistration.Create(signal, context =>
                {
                    context.Cancel = true;
                    Raise(number);
                }));
            }
        }
    }

    /// <summary>What a signal does.</summary>
    public void Raise(int signal)
    {
        if (Interlocked.CompareExchange(ref _signal, signal, 0) != 0 || !HasBegun)
        {
            Reraise();
            Posix.Exit(128 + signal);
        }

        _source.Cancel();
    }

    /// <summary>
    /// Ends the process by the signal that stopped it. A shell ends its loop on Ctrl+C only when it sees that the command
    /// died of it; one that exits with 130 has, for the shell, dealt with it.
    /// </summary>
    public void Reraise()
    {
        if (Signal == Interrupt)
        {
            _ = Posix.SetSignalAction(Interrupt, 0);
            _ = Posix.Kill(Environment.ProcessId, Interrupt);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }
}
