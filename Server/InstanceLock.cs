using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>A lock that ends with the process, whatever ends it. The file stays.</summary>
internal sealed class InstanceLock : IDisposable
{
    private const uint OwnerOnly = 0b110_000_000;

    private readonly IDisposable _held;
    private readonly FileStatus? _file;

    private InstanceLock(string path, IDisposable held, FileStatus? file) => (Path, _held, _file) = (path, held, file);

    /// <summary>The locked file.</summary>
    public string Path { get; }

    /// <summary>Whether the name still leads to the locked file; true where that cannot be told.</summary>
    public bool IsThere => _file is null || (SystemCalls.Status(Path) is { } now ? now.IsSame(_file) : !SystemCalls.IsAbsent(Path));

    /// <summary>Takes a lock; null while another process has it.</summary>
    /// <param name="path">The file, in a directory that exists.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>: it cannot be locked at all.</exception>
    public static InstanceLock? TryTake(string path)
    {
        const int exclusive = 2, withoutWaiting = 4;
        while (true)
        {
            SafeFileHandle file = Open(path);
            int descriptor = (int)file.DangerousGetHandle();
            if (SystemCalls.Lock(descriptor, exclusive | withoutWaiting) == 0)
            {
                // Somebody may have removed the file since it was opened: then this lock keeps nobody out.
                FileStatus locked = SystemCalls.Status(descriptor)!;
                if (locked.IsSame(SystemCalls.Status(path)))
                {
                    return new InstanceLock(path, file, locked);
                }

                file.Dispose();
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            file.Dispose();
            return error switch
            {
                SystemCalls.TryAgain => null,
                SystemCalls.NoLocks or SystemCalls.NotImplemented or SystemCalls.NotSupported => TryTakeName(path),
                _ => throw Failed(path, "lock", error),
            };
        }
    }

    /// <summary>The same where the filesystem knows no locks, as Lustre without <c>-o flock</c>: a name of this host's network.</summary>
    internal static InstanceLock? TryTakeName(string path)
    {
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{SystemCalls.GetEffectiveUserId()} {path}")), 0, 16);
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint("\0pelican-client-api-" + key));
            return new InstanceLock(path, socket, null);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse ? null
                : throw new PelicanException(Errors.Local, $"cannot lock '{path}': {e.Message}", inner: e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    private static SafeFileHandle Open(string path)
    {
        const int readWrite = 2, create = 0x40, noFollow = 0x20000, closeOnExec = 0x80000;
        int descriptor = SystemCalls.Open(path, readWrite | create | noFollow | closeOnExec, OwnerOnly);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Failed(path, "open", Marshal.GetLastPInvokeError());
    }

    private static PelicanException Failed(string path, string doing, int error) => Faults.FromLocal(
        error == SystemCalls.NotPermitted || error == SystemCalls.AccessDenied
            ? new UnauthorizedAccessException(Marshal.GetPInvokeErrorMessage(error))
            : new IOException(Marshal.GetPInvokeErrorMessage(error), error),
        path, doing);
}
