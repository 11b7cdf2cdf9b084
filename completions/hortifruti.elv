
use builtin;
use str;

set edit:completion:arg-completer[hortifruti] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'hortifruti'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'hortifruti'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
            cand -V 'Mostra a versão'
            cand --version 'Mostra a versão'
            cand serve 'Guarda o estoque e atende clientes, por texto e por gRPC'
            cand shell 'Abre um terminal interativo'
            cand query 'Consulta um produto, os produtos até um preço, ou todos'
            cand update 'Muda o estoque de um produto'
            cand count 'Ajusta o estoque à contagem, de um produto ou de uma lista'
            cand undo 'Desfaz um movimento, com o documento inteiro dele'
            cand history 'Mostra os movimentos do estoque, do último para trás'
            cand report 'Mostra um relatório de um período: fechamento, vendas, perdas, compras, margens e mais'
            cand import 'Cria produtos e muda preços a partir de um CSV'
            cand export 'Exporta o catálogo em CSV'
            cand backup 'Copia o banco de dados, também enquanto um servidor o usa'
            cand restore 'Restaura uma cópia do banco de dados, e guarda o anterior'
            cand verify 'Confere um banco de dados ou uma cópia'
            cand token 'Cria, mostra e revoga tokens, que identificam os clientes de um servidor'
            cand bench 'Mede e compara o protocolo de texto e o gRPC'
            cand completions 'Escreve o script de autocompletar de um shell'
            cand man 'Escreve as páginas de manual, uma para cada comando'
            cand help 'Mostra a ajuda de um comando'
        }
        &'hortifruti;serve'= {
            cand --port 'Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho'
            cand --host 'Endereço em que escuta. O padrão é 127.0.0.1'
            cand --tls-cert 'Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP'
            cand --tls-key 'Chave privada do certificado, em PEM e sem senha'
            cand --tls-client-ca 'Só atende clientes com um certificado desta autoridade'
            cand --token-file 'Só atende clientes com um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP'
            cand --data 'Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db'
            cand --label 'Lê etiquetas de balança por esta máscara, como 2CCCCCCPPPPPD (C código, P gramas, T centavos, D verificador); várias, se os dígitos fixos as distinguem'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --workers 'Threads que atendem as conexões. O padrão é um por núcleo do processador, menos um'
            cand --exit-after 'Para depois de N conexões'
            cand --drain-seconds 'Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10'
            cand --max-connections 'Máximo de conexões ao mesmo tempo. O padrão é 16384'
            cand --max-connections-per-address 'Máximo de conexões de um só endereço. O padrão é 1024; desta máquina, sem limite'
            cand --idle-seconds 'Encerra uma conexão parada há estes segundos; 0, nunca. O padrão é 43200 (12 horas)'
            cand --socket 'Atende o protocolo de texto. O padrão é atender os dois'
            cand --grpc 'Atende gRPC. O padrão é atender os dois'
            cand --insecure 'Aceita um endereço aberto à rede sem TLS ou sem tokens'
            cand --empty 'Começa um banco de dados novo sem os quatro produtos de exemplo'
            cand -q 'Não mostra conexões e comandos'
            cand --quiet 'Não mostra conexões e comandos'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;shell'= {
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;query'= {
            cand --max-price 'Só os produtos até este preço, como 8 ou 3,50'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;update'= {
            cand --reason 'Motivo: ajuste (o padrão), compra, venda, perda ou contagem'
            cand --total 'Quanto se pagou ou recebeu ao todo, em reais, numa compra ou venda; sem isto, preço × quantidade'
            cand --cause 'Causa de uma perda: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao'
            cand --note 'Observação, de até 200 caracteres'
            cand --request-id 'Identificador do pedido; repetido, não muda o estoque outra vez'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;count'= {
            cand --request-id 'Identificador do pedido; repetido, dá a mesma resposta'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;undo'= {
            cand --request-id 'Identificador do pedido; repetido, dá a mesma resposta'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --single 'Desfaz só este movimento, e não os outros do mesmo documento'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;history'= {
            cand --kind 'Só deste motivo: ajuste, abertura, compra, venda, perda ou contagem'
            cand --author 'Só os movimentos que este token pediu'
            cand --since 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30'
            cand --until 'Até este dia, inclusive, ou antes deste momento'
            cand --limit 'Quantos movimentos, no máximo. O padrão é 20'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;report'= {
            cand --since 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30'
            cand --until 'Até este dia, inclusive, ou antes deste momento'
            cand --days 'Em expiring: o que vence em até tantos dias (o padrão é 1); em low: comprar para tantos dias de venda'
            cand --by 'Soma por product, category, day, reason, supplier, author ou kind'
            cand --kind 'Só deste motivo, em day e products: ajuste, abertura, compra, venda, perda ou contagem'
            cand --time-zone 'Fuso horário dos dias, como America/Sao_Paulo. O padrão é o deste computador'
            cand --format 'Formato: text (o padrão), table, json, ndjson ou csv'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;import'= {
            cand --request-id 'Identificador do pedido; repetido, não importa a lista outra vez'
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --dry-run 'Mostra as mudanças, sem fazê-las'
            cand --yes 'Importa também linhas que parecem erradas, sem perguntar'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;export'= {
            cand --server 'Servidor. O padrão é o do arquivo de porta'
            cand --port-file 'Arquivo com a porta do servidor. O padrão é server_port.txt'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --force 'Substitui uma lista que `export` escreveu antes'
            cand --socket 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
            cand --grpc 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;backup'= {
            cand --data 'Banco de dados a copiar. O padrão é hortifruti.db'
            cand --force 'Substitui uma cópia que já existe, quando a nova estiver pronta'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;restore'= {
            cand --data 'Banco de dados a substituir. O padrão é hortifruti.db'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;verify'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;token'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
            cand new 'Cria um token e mostra o segredo dele, só desta vez'
            cand list 'Mostra o nome e o papel de cada token'
            cand revoke 'Revoga um token: quem o tem não é mais atendido'
        }
        &'hortifruti;token;new'= {
            cand --role 'O que permite: leitura (o padrão), contagem (só contar, sem ver o estoque), venda (vender e consultar) ou escrita (tudo)'
            cand --token-file 'Arquivo de tokens do servidor, que recebe a linha; sem ele, a linha é só mostrada'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;token;list'= {
            cand --token-file 'Arquivo de tokens do servidor'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;token;revoke'= {
            cand --token-file 'Arquivo de tokens do servidor'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;bench'= {
            cand --server 'Servidor a medir; os estoques dele mudam'
            cand --connections 'Conexões de cada modo. O padrão é 16'
            cand --pipeline 'Operações em voo em cada conexão. O padrão é 16'
            cand --duration 'Duração da medição de cada modo. O padrão é 10'
            cand --rate 'Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)'
            cand --mix 'Leituras e gravações em cada cem. O padrão é read=80,write=20'
            cand --json 'Escreve os números em JSON'
            cand --html 'Escreve uma página com os gráficos'
            cand --tls-ca 'Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema'
            cand --tls-cert 'Certificado deste cliente, em PEM, se o servidor pede um'
            cand --tls-key 'Chave privada do certificado deste cliente'
            cand --token-file 'Arquivo com o token deste cliente'
            cand --tls 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
            cand --insecure 'Envia o token a outra máquina também sem TLS'
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;completions'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;man'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
        &'hortifruti;help'= {
            cand -h 'Mostra esta ajuda'
            cand --help 'Mostra esta ajuda'
        }
    ]
    $completions[$command]
}
