using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>How a coordinator is one silo of a cluster.</summary>
public sealed record SiloOptions
{
    /// <summary>Connection string of the PostgreSQL database that all silos share; empty for a single silo over its own files.</summary>
    public string Connection { get; init; } = "";

    /// <summary>Silos of one name and one database find each other.</summary>
    /// <value>The default is "federated".</value>
    [Required, MinLength(1)]
    public string Cluster { get; init; } = "federated";

    /// <summary>Tells this silo from the others.</summary>
    [Required, MinLength(1)]
    public required string Name { get; init; }

    /// <summary>The address at which other silos reach this one; beyond loopback they need a certificate, or <see cref="IsPlain"/>.</summary>
    [Required, MinLength(1)]
    public required string Address { get; init; }

    /// <summary>The port at which other silos reach this one.</summary>
    /// <value>The default is 11111. Must be 1 to 65535.</value>
    [Range(1, 65535)]
    public int Port { get; init; } = 11111;

    /// <summary>PEM file of the certificate that the silos of the cluster know each other by (<see cref="Federated.Coordinator.Identity.ClusterCertificate"/>), and of those that are known beside it.</summary>
    /// <value>The default is none: <c>pki/silo.crt</c> of the data directory, where there is one.</value>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file of its key.</summary>
    /// <value>The default is none: <c>pki/silo.key</c> of the data directory.</value>
    public string CertificateKey { get; init; } = "";

    /// <summary>Whether silos speak without TLS where others could reach them: for a network that nobody else is in, or that encrypts itself.</summary>
    /// <value>The default is false.</value>
    public bool IsPlain { get; init; }

    /// <summary>Seconds after which a silo that does not answer is asked again; after three times, others take its runs over.</summary>
    /// <value>The default is 3. Must be 0.1 to 60.</value>
    [Range(0.1, 60.0)]
    public double ProbeSeconds { get; init; } = 3;

    public FrontDoorOptions FrontDoor { get; init; } = new();
}
