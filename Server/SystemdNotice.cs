using System.Net.Sockets;

namespace Pelican.Server;

/// <summary>Tells systemd that a service of <c>Type=notify</c> is ready (sd_notify(3)).</summary>
internal static class SystemdNotice
{
    /// <summary>Tells it.</summary>
    /// <param name="socket">Value of <c>NOTIFY_SOCKET</c>; null where systemd does not want to know.</param>
    public static void Ready(string? socket)
    {
        if (string.IsNullOrEmpty(socket))
        {
            return;
        }

        using Socket notice = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            // An @ stands for the zero byte of a name that is not in the filesystem.
            notice.Connect(new UnixDomainSocketEndPoint(socket[0] == '@' ? "\0" + socket[1..] : socket));
            notice.Send("READY=1\n"u8);
        }
        catch (SocketException)
        {
            // Systemd will find out by its own time limit.
        }
    }
}
