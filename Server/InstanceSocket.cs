using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>The socket a server listens on: made here and removed again, or passed on by systemd, which keeps it.</summary>
internal sealed class InstanceSocket : IDisposable
{
    private const uint OwnerOnly = 0b110_000_000;

    private readonly FileStatus? _made;

    private InstanceSocket(Socket socket, string path, FileStatus? made) => (Socket, Path, _made) = (socket, path, made);

    /// <summary>Bound; whoever listens on it disposes of it.</summary>
    public Socket Socket { get; }

    /// <summary>Its name in the filesystem.</summary>
    public string Path { get; }

    /// <summary>Whether the name still leads here: people and cleaners of /tmp remove what they do not know.</summary>
    public bool IsThere => _made is null || _made.IsSame(SystemCalls.Status(Path));

    /// <summary>
    /// Binds a name that is not there, for its owner only from the first moment. Not by .NET, which would remove the name
    /// on closing, whoever's it is by then.
    /// </summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static InstanceSocket Bind(string path)
    {
        const int unix = 1, stream = 1, closeOnExec = 0x80000;
        SafeSocketHandle handle = new(SystemCalls.Socket(unix, stream | closeOnExec, 0), ownsHandle: true);
        byte[] address = new byte[2 + InstancePaths.LongestSocket + 1];
        address[0] = unix;
        Encoding.UTF8.GetBytes(path, address.AsSpan(2));

        // The name gets the mode of the socket, less the umask: which is the whole process's, and other threads make files.
        _ = SystemCalls.SetMode((int)handle.DangerousGetHandle(), OwnerOnly);
        int bound = SystemCalls.Bind((int)handle.DangerousGetHandle(), address, (uint)address.Length);
        int error = Marshal.GetLastPInvokeError();
        if (bound != 0)
        {
            handle.Dispose();
            Exception cause = error == SystemCalls.AccessDenied ? new UnauthorizedAccessException() : new IOException(Marshal.GetPInvokeErrorMessage(error), error);
            throw Faults.FromLocal(cause, path, "make the socket");
        }

        return new InstanceSocket(new Socket(handle), path, SystemCalls.Status(path)!);
    }

    /// <summary>Whether systemd passed something to this process.</summary>
    /// <param name="variable">Value of an environment variable.</param>
    public static bool IsPassed(Func<string, string?> variable) =>
        variable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) && variable("LISTEN_FDS") is not null;

    /// <summary>The socket that systemd passed to this process (sd_listen_fds(3)); null when it passed none.</summary>
    /// <param name="variable">Value of an environment variable.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Configuration"/>: it is not one Unix socket with a name.</exception>
    public static InstanceSocket? Inherit(Func<string, string?> variable)
    {
        const int first = 3;
        if (!IsPassed(variable))
        {
            return null;
        }

        _ = SystemCalls.SetCloseOnExec(first, true);
        // A copy: what systemd passed stays open, and can be asked for again.
        Socket? socket = variable("LISTEN_FDS") == "1" ? new Socket(new SafeSocketHandle(SystemCalls.DuplicateAside(first), ownsHandle: true)) : null;
        return socket is { AddressFamily: AddressFamily.Unix, SocketType: SocketType.Stream } && socket.LocalEndPoint?.ToString() is ['/', ..] path
            ? new InstanceSocket(socket, path, null)
            : throw new PelicanException(Errors.Configuration, "systemd passed something else than one Unix stream socket with a path",
                "The socket unit needs one ListenStream= with an absolute path, and no other.");
    }

    /// <summary>Whether somebody has a socket open to accept connections, whether or not he comes to it.</summary>
    public static bool Answers(string path)
    {
        const int longestMilliseconds = 2000;
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendTimeout = longestMilliseconds };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e)
        {
            // The latter is what .NET makes of a missing file. Anything else, such as a queue that is full, is somebody's.
            return e.SocketErrorCode is not (SocketError.ConnectionRefused or SocketError.AddressNotAvailable);
        }
    }

    /// <summary>Whether somebody answers a request there.</summary>
    public static bool Speaks(string path)
    {
        const int longestMilliseconds = 1000;
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            SendTimeout = longestMilliseconds,
            ReceiveTimeout = longestMilliseconds,
        };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8);
            return socket.Receive(new byte[1]) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Removes the name, if it is still ours.</summary>
    public void Dispose()
    {
        Socket.Dispose();
        if (_made is not null && IsThere)
        {
            File.Delete(Path);
        }
    }
}
