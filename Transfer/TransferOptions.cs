namespace Pelican.Transfer;

/// <summary>What the user asked of one operation. The same record serves a direct command and a job.</summary>
internal sealed record TransferOptions
{
    /// <summary>Token file named by the user (<c>-t</c>), absolute; null to look in the usual places.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Whether somebody renews the token file in its place while this waits: then an expired token is a matter of time.</summary>
    public bool TokenIsRenewed { get; init; }

    /// <summary>Servers named by the user (<c>-c</c>); null to take <see cref="ClientSettings.PreferredCaches"/>.</summary>
    public IReadOnlyList<string>? Caches { get; init; }

    /// <summary>Ask the director for origins (<c>--direct</c>, <c>?directread</c>).</summary>
    public bool DirectRead { get; init; }

    /// <summary>Replace an existing object, or a file that is read-only (<c>--overwrite</c>).</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// What is at the destination already stays, and counts as done, if size and digest prove that it is the same: so a tree can
    /// be run again.
    /// </summary>
    public bool KeepEqual { get; init; }

    /// <summary>
    /// An earlier run of this upload was about to send, and nobody knows how it ended. What is at the destination is its own only if it
    /// is the beginning of the file; all of the file is done.
    /// </summary>
    public bool WasBegun { get; init; }

    /// <summary>Fail where no server has a digest (<c>--require-checksum</c>).</summary>
    public bool RequireChecksum { get; init; }

    /// <summary>Algorithm the user insists on (<c>--checksum-algorithm</c>); null for the best the server has.</summary>
    public ChecksumAlgorithm? Algorithm { get; init; }

    /// <summary>Mode of a new local file: <c>0666 &amp; ~umask</c> of the caller.</summary>
    public UnixFileMode FileMode { get; init; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Whether what is told to be done must outlast a power failure.</summary>
    public bool Durable { get; init; }

    /// <summary>Asked when it is cancelled: whether nobody will go on with it, so that nothing of it is to stay.</summary>
    public Func<bool> IsGivenUp { get; init; } = () => false;

    /// <summary>Write nothing, say what would be done (<c>--dry-run</c>).</summary>
    public bool DryRun { get; init; }
}
