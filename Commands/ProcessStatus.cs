using System.Globalization;

namespace Pelican.Commands;

/// <summary>What <c>/proc/self/status</c> tells about the caller that started this process.</summary>
/// <param name="Umask">Bits that new files must not have.</param>
/// <param name="IgnoredSignals">Bit n-1 is set where signal n was ignored at the start, as under <c>nohup</c>.</param>
internal sealed record ProcessStatus(UnixFileMode Umask, ulong IgnoredSignals)
{
    private const string StatusFile = "/proc/self/status";

    /// <summary>Reads it; asks umask(2) where /proc is not mounted or, before Linux 4.7, does not tell.</summary>
    public static ProcessStatus Read() => Parse(File.Exists(StatusFile) ? File.ReadLines(StatusFile) : [], AskUmask);

    /// <summary>Whether a signal was ignored when the process started.</summary>
    public bool Ignores(int signal) => (IgnoredSignals >> (signal - 1) & 1) == 1;

    /// <summary>Mode of a new file, <c>0666 &amp; ~umask</c>.</summary>
    public static UnixFileMode NewFileMode(UnixFileMode umask) => (UnixFileMode)0b110_110_110 & ~umask;

    internal static ProcessStatus Parse(IEnumerable<string> lines, Func<uint> askUmask)
    {
        uint? umask = null;
        ulong ignored = 0;
        foreach (string line in lines)
        {
            if (line.StartsWith("Umask:", StringComparison.Ordinal))
            {
                umask = Convert.ToUInt32(line["Umask:".Length..].Trim(), 8);
            }
            else if (line.StartsWith("SigIgn:", StringComparison.Ordinal))
            {
                ignored = ulong.Parse(line.AsSpan("SigIgn:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                break;
            }
        }

        return new ProcessStatus((UnixFileMode)(umask ?? askUmask()), ignored);
    }

    // There is no way to ask without setting: nothing else runs yet when this is done.
    private static uint AskUmask()
    {
        uint umask = Posix.SetUmask(0b000_111_111);
        _ = Posix.SetUmask(umask);
        return umask;
    }
}
