using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pelican.Json;

namespace Pelican.Transfer;

/// <summary>
/// A part file that this process alone writes, and how it comes to have one. Where locks hold, that is a lock on the one name that
/// the part of an object has at a destination. Where they may not (a file system of the network, or one without locks), it is who made
/// the file, or could give it a name of his own: what an earlier run left is gone on with only after that.
/// </summary>
internal sealed class PartClaim : IDisposable
{
    /// <summary>How the name of a part ends.</summary>
    public const string Suffix = ".pelican-part";

    /// <summary>How the name of the note beside one ends.</summary>
    public const string NoteSuffix = Suffix + ".json";

    private const int MaxName = 255;
    private const int LockTries = 10;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    /// <summary>A part of another host that has not grown for so long is nobody's: longer than any wait between two attempts.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    private PartClaim(LocalFile file, string note, bool keeps, bool byName) =>
        (File, NotePath, Keeps, ByName) = (file, note, keeps, byName);

    /// <summary>The part.</summary>
    public LocalFile File { get; }

    /// <summary>Where the note of it is.</summary>
    public string NotePath { get; }

    /// <summary>Whether it stays for a later run; false for the second of two that run at once.</summary>
    public bool Keeps { get; }

    /// <summary>Whether only its name says that it is ours, so that somebody may have taken it all the same.</summary>
    public bool ByName { get; }

    /// <summary>What the note says that an earlier run has left; null for nothing.</summary>
    public PartState? Left { get; private init; }

    /// <summary>This process, for a note.</summary>
    public PartHolder Holder => new(
        BootMark.BootId(), Environment.ProcessId, BootMark.StartTicks(Environment.ProcessId),
        File.Path + ".json" == NotePath ? null : Path.GetFileName(File.Path));

    /// <summary>Whether a name is that of a part, or of the note beside one.</summary>
    public static bool IsPart(string name) =>
        name.StartsWith('.') && (name.EndsWith(Suffix, StringComparison.Ordinal) || name.EndsWith(NoteSuffix, StringComparison.Ordinal));

    /// <summary>Takes the part of an object at a destination, or one that is new.</summary>
    /// <param name="destination">Absolute path of the final file; its directory exists.</param>
    /// <param name="source">The object; another one never continues this one.</param>
    /// <param name="mode">Mode of a new file.</param>
    /// <param name="byName">Trust no lock, on whatever file system.</param>
    public static PartClaim Take(string destination, string source, UnixFileMode mode, bool byName = false)
    {
        string name = Path.GetFileName(destination);
        if (Encoding.UTF8.GetByteCount(name) > MaxName)
        {
            // The part's own name is cut to fit: without this, the last step of the download would be the first to fail.
            throw new PathTooLongException();
        }

        mode |= UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)), 0, 8);
        string shared = NameFor(destination, key);
        for (int tries = 0; tries <= LockTries; tries++)
        {
            if (tries > 0)
            {
                // Whoever starts a program hands it every open file for an instant, locks and all: the holder may be such a one.
                Thread.Sleep(LockPause);
            }

            LocalFile? made = LocalFile.TryCreate(shared, mode);
            LocalFile? file = made ?? LocalFile.TryOpen(shared);
            if (file is null)
            {
                continue;
            }

            bool? locked = byName || file.ReportsLate ? null : file.TryLock();
            if (locked is null)
            {
                if (made is null)
                {
                    file.Dispose();
                }

                return TakeByName(made, shared, () => NameFor(destination, Fresh()), mode);
            }

            // Between our opening and our locking it, its owner may have renamed it: what we hold is then a published file.
            if (locked == true && file.IsThere)
            {
                return new PartClaim(file, shared + ".json", keeps: true, byName: false) { Left = file.InitialLength > 0 ? Read(shared + ".json") : null };
            }

            file.Dispose();
        }

        // Another process is downloading the same object to the same place: both finish, neither disturbs the other.
        return TakeBeside(place => NameFor(destination, $"{key}-{place}"), shared + ".json", mode);
    }

    /// <summary>Removes the parts that were left of an object, or of what is below a collection, unless somebody goes on with them just now.</summary>
    /// <param name="directory">Where they are; with everything below it, for a collection.</param>
    /// <param name="source">The object, or the collection.</param>
    /// <param name="isTree">Whether it is a collection.</param>
    /// <param name="before">What was written after that is another one's.</param>
    public static void Remove(string directory, string source, bool isTree, DateTimeOffset before)
    {
        // Links lead out of it, or round.
        EnumerationOptions below = new() { RecurseSubdirectories = isTree, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (string note in Directory.EnumerateFiles(directory, "*" + NoteSuffix, below))
        {
            if (Read(note) is not { } state || !(state.Url == source || (isTree && state.Url.StartsWith(source + "/", StringComparison.Ordinal))))
            {
                continue;
            }

            string name = NameOf(state) ?? Path.GetFileName(note)[..^".json".Length];
            string part = Path.Combine(Path.GetDirectoryName(note)!, name);
            using LocalFile? file = LocalFile.TryOpen(part);
            bool inUse = LocalEntry.AtLink(part).Modified > before
                || (file is { ReportsLate: true } ? state.Holder is { Released: false } holder && !IsDead(holder) : file?.TryLock() == false);
            if (!inUse)
            {
                System.IO.File.Delete(note);
                System.IO.File.Delete(part);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();

    // Numbered, so that what one of them leaves that is killed is the next one's.
    private static PartClaim TakeBeside(Func<int, string> nameOf, string note, UnixFileMode mode)
    {
        for (int place = 2; ; place++)
        {
            string name = nameOf(place);
            LocalFile? file = LocalFile.TryCreate(name, mode) ?? LocalFile.TryOpen(name);
            if (file?.TryLock() == true && file.IsThere)
            {
                return new PartClaim(file, note, keeps: false, byName: false);
            }

            file?.Dispose();
        }
    }

    // The file that was made just now is ours, unless a note leads to a part that was left under another name.
    private static PartClaim TakeByName(LocalFile? made, string shared, Func<string> nextName, UnixFileMode mode)
    {
        string note = shared + ".json";
        PartState? state = Read(note);
        string left = state is not null && NameOf(state) is { } name ? Path.Combine(Path.GetDirectoryName(shared)!, name) : shared;
        if (made is not null && (left == shared || LocalEntry.AtLink(left).Kind != LocalKind.File))
        {
            return new PartClaim(made, note, keeps: true, byName: true);
        }

        LocalFile mine = made ?? LocalFile.TryCreate(nextName(), mode) ?? throw FileCalls.Fault(FileCalls.Exists);
        LocalEntry there = LocalEntry.AtLink(left);
        bool free = there.Kind == LocalKind.File && (state?.Holder is { } holder
            ? holder.Released || IsDead(holder) || IsForgotten(there, mine)
            : state is not null || IsForgotten(there, mine));
        string taken = nextName();
        if (!free || !LocalFile.TryMove(left, taken))
        {
            return new PartClaim(mine, note, keeps: false, byName: true);
        }

        System.IO.File.Delete(mine.Path);
        mine.Dispose();
        LocalFile file = LocalFile.TryOpen(taken) ?? throw new FileNotFoundException(null, taken);
        return new PartClaim(file, note, keeps: true, byName: true) { Left = state };
    }

    // A note may be damaged, or somebody else's: it leads to a part, and to nothing else.
    private static string? NameOf(PartState note) => note.Holder?.Name is { } name && IsPart(name) && Path.GetFileName(name) == name ? name : null;

    private static bool IsDead(PartHolder holder) =>
        holder.Boot.Length > 0 && holder.Boot == BootMark.BootId() && BootMark.StartTicks(holder.Process) != holder.Started;

    // Both times by the clock of the file system.
    private static bool IsForgotten(LocalEntry there, LocalFile now) =>
        LocalEntry.Of(now.Handle).Modified - there.Modified > Forgotten;

    private static PartState? Read(string note)
    {
        try
        {
            return JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(note), PelicanJson.Default.PartState);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static string Fresh() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    // A name that leaves room for ours is cut at a character, not at a byte.
    private static string NameFor(string destination, string key)
    {
        string suffix = $".{key}{Suffix}";
        string name = Path.GetFileName(destination);
        int room = MaxName - suffix.Length - 1 - ".json".Length;
        while (Encoding.UTF8.GetByteCount(name) > room)
        {
            name = name[..^(char.IsSurrogate(name[^1]) ? 2 : 1)];
        }

        return Path.Combine(Path.GetDirectoryName(destination)!, $".{name}{suffix}");
    }
}
