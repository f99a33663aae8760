using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>One file that a job moves.</summary>
/// <param name="Remote">Its path in the federation.</param>
/// <param name="Local">Its path here.</param>
/// <param name="Content">What is in it.</param>
/// <param name="IsUpload">Which way it goes.</param>
internal sealed record LoadFile(string Remote, string Local, byte[] Content, bool IsUpload);

/// <summary>A job of the load, and what is known of it.</summary>
internal sealed class LoadJob(int number, JobRequest request, IReadOnlyList<LoadFile> files)
{
    public int Number => number;

    public JobRequest Request => request;

    public IReadOnlyList<LoadFile> Files => files;

    public long Bytes => files.Sum(file => (long)file.Content.Length);

    /// <summary>The answer to its submission; null before that.</summary>
    public JobCreated? Created { get; set; }

    /// <summary>Whether its cancellation was asked for.</summary>
    public bool IsCancelAsked { get; set; }

    /// <summary>How it was last seen final; null when it never was.</summary>
    public JobStatus? End { get; set; }
}

/// <summary>A mixed load for a daemon that is killed: downloads, uploads and trees both ways, no object of two jobs the same.</summary>
internal sealed class KillLoad(TestFederation federation, string folder, string tokenFile, Random random)
{
    private const int Block = 64 * 1024;

    private readonly List<LoadJob> _jobs = [];

    public IReadOnlyList<LoadJob> Jobs => _jobs;

    /// <summary>Makes the next job, with everything that it will move.</summary>
    public LoadJob Next()
    {
        int number = _jobs.Count;
        List<LoadFile> files = [];
        List<TransferRequest> transfers = [];
        string space = random.Next(4) == 0 ? "/protected" : "/public";
        switch (number % 5)
        {
            case 0:
                Get($"{space}/{number}/large", 6_000_000 + random.Next(4_000_000));
                break;
            case 1:
                Put("large", 1_000_000 + random.Next(1_000_000));
                break;
            case 2:
                Tree("tree", isUpload: false);
                break;
            case 3:
                Tree("tree", isUpload: true);
                break;
            default:
                Get($"{space}/{number}/small", random.Next(1, Block));
                Put("small", random.Next(1, Block));
                Get($"{space}/{number}/middle", 1_500_000 + random.Next(500_000));
                Get($"{space}/{number}/empty", 0);
                break;
        }

        LoadJob job = new(number, new JobRequest(transfers, new JobOptions
        {
            Token = tokenFile,
            Umask = (string?[])[null, "027", "077"] is var masks ? masks[random.Next(3)] : null,
            Direct = random.Next(2) == 0,
        }), files);
        _jobs.Add(job);
        return job;

        void Get(string remote, int size)
        {
            byte[] content = Content(size);
            federation.Origin.Store(remote, content);
            files.Add(new LoadFile(remote, Local(remote), content, IsUpload: false));
            transfers.Add(new TransferRequest("get", federation.UrlOf(remote), Local(remote)));
        }

        void Put(string name, int size)
        {
            string remote = $"/demo/{number}/{name}";
            WriteLocal(remote, Content(size));
            transfers.Add(new TransferRequest("put", Local(remote), federation.UrlOf(remote)));
        }

        void Tree(string name, bool isUpload)
        {
            string top = isUpload ? $"/demo/{number}/{name}" : $"{space}/{number}/{name}";
            for (int i = 0; i < 12; i++)
            {
                string remote = $"{top}/{(char)('a' + (i % 3))}/{(i % 2 == 0 ? "deep/" : "")}{i}";
                byte[] content = Content(i == 7 ? 2_000_000 : random.Next(Block));
                if (isUpload)
                {
                    WriteLocal(remote, content);
                }
                else
                {
                    federation.Origin.Store(remote, content);
                    files.Add(new LoadFile(remote, Local(remote), content, IsUpload: false));
                }
            }

            transfers.Add(isUpload
                ? new TransferRequest("put", Local(top), federation.UrlOf(top), Recursive: true)
                : new TransferRequest("get", federation.UrlOf(top), Local(top), Recursive: true));
        }

        void WriteLocal(string remote, byte[] content)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Local(remote))!);
            File.WriteAllBytes(Local(remote), content);
            files.Add(new LoadFile(remote, Local(remote), content, IsUpload: true));
        }
    }

    /// <summary>What a daemon that was just killed has left of large downloads: object, and how many bytes of it can be gone on with.</summary>
    public IEnumerable<(string Remote, long Bytes)> Parts() =>
        from job in _jobs
        where !job.IsCancelAsked
        from file in job.Files
        where !file.IsUpload && file.Content.Length > PartFile.WorthKeeping && Directory.Exists(Path.GetDirectoryName(file.Local))
        from part in Directory.GetFiles(Path.GetDirectoryName(file.Local)!, $".{Path.GetFileName(file.Local)}.*.pelican-part")
        let bytes = new FileInfo(part).Length
        where bytes >= PartFile.WorthKeeping && bytes < file.Content.Length && IsWhole(part + ".json")
        select (file.Remote, bytes);

    /// <summary>What is wrong with the files of a job that is over; empty when nothing is.</summary>
    public IEnumerable<string> Wrongs(LoadJob job)
    {
        foreach (LoadFile file in job.Files)
        {
            string result = file.IsUpload ? federation.Origin.FileOf(file.Remote) : file.Local;
            if (!File.Exists(result))
            {
                yield return $"{result} is missing";
            }
            else if (!Bytes.AreIn(result, file.Content))
            {
                yield return $"{result} is wrong";
            }
            else if (!file.IsUpload && job.Request.Options!.Umask is { } umask && File.GetUnixFileMode(result) != ModeFor(umask))
            {
                yield return $"{result} has mode {File.GetUnixFileMode(result)}";
            }
        }

        int expected = job.Files.Count;
        string[] left = [.. Trees(job).Where(Directory.Exists).SelectMany(tree => Directory.GetFiles(tree, "*", SearchOption.AllDirectories))];
        if (left.Length != expected)
        {
            yield return $"job {job.Number} left {left.Length} files instead of {expected}: {string.Join(", ", left)}";
        }

        static UnixFileMode ModeFor(string umask) => (UnixFileMode)(0b110_110_110 & ~Convert.ToInt32(umask, 8));
    }

    private string Local(string remote) => folder + remote;

    // Where its results are.
    private IEnumerable<string> Trees(LoadJob job) => job.Files
        .Select(file => string.Join('/', file.Remote.Split('/')[..3]) is var top && file.IsUpload ? federation.Origin.FileOf(top) : Local(top)).Distinct();

    private byte[] Content(int size)
    {
        byte[] content = new byte[size];
        random.NextBytes(content);
        return content;
    }

    private static bool IsWhole(string note)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(note)).RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return false;
        }
    }
}
