using System.Collections.Immutable;

namespace Pelican.Federation;

/// <summary>The namespaces that the servers of a federation share; may change while it runs.</summary>
public sealed class NamespaceTable(IEnumerable<FederationNamespace> namespaces)
{
    private ImmutableList<FederationNamespace> _namespaces = [.. namespaces];

    /// <summary>The namespace with the longest prefix that covers a decoded path; null when none does.</summary>
    public FederationNamespace? Find(string path) =>
        Volatile.Read(ref _namespaces).Where(ns => ns.Covers(path)).MaxBy(ns => ns.Prefix.Length);

    /// <summary>Adds a namespace, in the place of one with the same prefix.</summary>
    public void Set(FederationNamespace added) =>
        ImmutableInterlocked.Update(ref _namespaces, (all, ns) => all.RemoveAll(old => old.Prefix == ns.Prefix).Add(ns), added);

    /// <summary>Removes a namespace.</summary>
    public void Remove(string prefix) =>
        ImmutableInterlocked.Update(ref _namespaces, (all, gone) => all.RemoveAll(ns => ns.Prefix == gone), prefix);
}
